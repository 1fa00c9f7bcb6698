"""The demo's world: a customer with a bill, AWS's billing delivery, and the AWS console.

    estate      what the customer runs: the resources that the bill is for
    nise_run    koku-nise makes the line items (in a process of its own)
    fix        what nise does otherwise than AWS, put right where it is not safe to accept
    bill        one month's bill, as rows of a legacy Cost and Usage Report
    world       the whole customer: an organization, its bills, and the restated one
    tables      a billing table as AWS delivers it, before it has a file format
    legacy      a bill as a legacy Cost and Usage Report
    cur2        a bill as CUR 2.0
    focus       a bill as FOCUS 1.0 and 1.2
    files       a file of such a table: gzip, ZIP, Parquet
    layouts     where AWS puts the objects of one delivery
    delivery    a bill becomes files and manifests in the customer's bucket, and AWS's ledger
    breakage    the same, damaged in one known way
    console     what the AWS console does with a quick-create link

Everything here plays AWS or the customer; none of it is part of the platform.
"""
