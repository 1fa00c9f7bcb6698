"""The local cloud: ministack, an emulator of AWS, and what the main job needs beyond it.

ministack's files stay as they are. Each module here adds one thing through a seam (`seams.py`): a
function or a dictionary of ministack that is replaced or extended while the server starts. What the
local cloud cannot show is listed in docs/decisions/0010-local-cloud.md.

    seams               the pinned version, and how a seam is replaced
    server              HTTP: the local cloud's own doors, faults, then AWS
    lambdas             a failed function keeps its exception's class name
    retries             a state's MaxDelaySeconds and JitterStrategy
    stopping            StopExecution ends an execution for good
    distributed_map     item batches, result files, a cap on concurrency
    athena_tasks        Step Functions' own integration with Athena
    partitions          the partition calls that Glue lacks
    buses               events that cross accounts, if the bus's policy allows it
    custom_resources    custom resources behind an SNS topic, in any account
    resource_types      CloudFormation types that ministack refuses
    inbox               e-mail subscribers of SNS
    judged_on           what requests are judged on that name a user without its ARN
    policy_variables    variables in the resources of a policy
    kms_reads           the key of an encrypted object, when it is read
    asked               what IAM was asked about an account's identities, and what it said
    faults              errors and delays on request
    status              what runs here
"""
