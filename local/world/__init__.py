"""The demo's world: a customer with a bill, AWS's billing delivery, and the AWS console.

    estate      what the customer runs: the resources that the bill is for
    nise_run    koku-nise makes the line items (in a process of its own)
    mend        what nise does otherwise than AWS, put right where it is not safe to accept
    bill        one month's bill, as rows of a legacy Cost and Usage Report
    world       the whole customer: an organization, its bills, and the restated one
    delivery    a bill becomes files and manifests in the customer's bucket, and AWS's ledger
    breakage    the same, damaged in one known way
    console     what the AWS console does with a quick-create link

Everything here plays AWS or the customer; none of it is part of the platform.
"""
