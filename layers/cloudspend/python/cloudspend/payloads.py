"""Keys of step payloads, for state machines and functions.

A state machine calls a function with {execution, state}: the ARN of the calling execution, which
`wiring.entry` removes, and the object that the steps pass on.

Ingest passes one object on, to which each step adds:

    start         account_id, manifest_bucket, manifest_key
    plan          + decision ("ingest" | "skip"), reason, period, generation, plan_bucket, plan_key
    convert       + conversion: {MapRunArn, ResultWriterDetails: {Bucket, Key}}
    check         + totals: {rows, billed_cost, effective_cost, list_cost, currency, detail},
                    query (Athena SQL)
    Athena        + athena (the query execution),
                    sums: {rows, billed_cost, effective_cost, list_cost, detail}
    publish       + published (bool), reason, previous_generation (text or null)
    reconcile     + verdict
    any failure   + failure: {Error, Cause}

`detail` are the sums of `billing_detail`, {rows, unblended_cost}; in the totals null for a
generation without that table.

The plan file is a JSON list of conversion tasks, each of them the input of one convert call:

    account_id, period, generation, task (0, 1, ...), kind, compression,
    files: [{bucket, key, etag, size}], tables, tag_columns

Money is decimal text, never a JSON number.

Onboard passes on {account_id, failure?, backfill?}. backfill is

    waiting: [{account_id, manifest_bucket, manifest_key, period, generation}]   newest period first
    running: [name of an execution of Ingest], done: true when nothing waits

Offboard passes on one object, in which only `done` changes:

    start         account_id, data ("keep" | "delete"), report_key (the report in the lake bucket)
    clear, prove  + done: whether everything is done; otherwise the step runs again

Sweep passes on one object as well:

    list          sweep (the execution's name), bucket, accounts_key (a JSON list of account ids)
    sweep         + conversion: {MapRunArn, ResultWriterDetails: {Bucket, Key}}; a child's result is
                  {counts: {name: number}, compare: [{account_id, period, generation}],
                  not_swept: [{account_id, error, reason}]}
    report        sweep, bucket, counts, comparisons (how many), compare_key (a JSON list of them),
                  not_swept, whole
    compare       + conversion: as before, of the months' children
    compared      the same

Collect takes {accounts?, sources?} (lists, empty for all) and passes on

    begin         + round: {collect (the execution's name)}
    list          collect, bucket, accounts_key (a JSON list of {account_id, sources: [{account_id,
                  source, again}]}; again asks for what is not due yet)
    collect       + conversion: {MapRunArn, ResultWriterDetails: {Bucket, Key}}; a child's result is
                  a list of outcomes {account_id, source, status, reason, rows, pages, cost}
    report        collect, bucket, outcomes_key (a JSON list of all outcomes), counts, whole
"""

EXECUTION = "execution"
STATE = "state"

ACCOUNT_ID = "account_id"
MANIFEST_BUCKET = "manifest_bucket"
MANIFEST_KEY = "manifest_key"
DECISION = "decision"
REASON = "reason"
PERIOD = "period"
GENERATION = "generation"
PLAN_BUCKET = "plan_bucket"
PLAN_KEY = "plan_key"
MAP_RUN = "conversion"
TOTALS = "totals"
QUERY = "query"
ATHENA = "athena"
SUMS = "sums"
PUBLISHED = "published"
PREVIOUS_GENERATION = "previous_generation"
VERDICT = "verdict"
FAILURE = "failure"
BACKFILL = "backfill"

ROWS = "rows"
BILLED_COST = "billed_cost"
EFFECTIVE_COST = "effective_cost"
LIST_COST = "list_cost"
UNBLENDED_COST = "unblended_cost"
DETAIL = "detail"
CURRENCY = "currency"

TASK = "task"
KIND = "kind"
COMPRESSION = "compression"
FILES = "files"
TABLES = "tables"
TAG_COLUMNS = "tag_columns"

SWEEP = "sweep"
ACCOUNTS_KEY = "accounts_key"
BUCKET = "bucket"
COUNTS = "counts"
COMPARE = "compare"
COMPARE_KEY = "compare_key"
COMPARISONS = "comparisons"
NOT_SWEPT = "not_swept"
WHOLE = "whole"

EVALUATED = "evaluated"
NOT_EVALUATED = "not_evaluated"
BATCHES = "batches"
COLLECT = "collect"
ROUND = "round"
ACCOUNTS = "accounts"
SOURCES = "sources"
SOURCE = "source"
FORCE = "force"
STATUS = "status"
PAGES = "pages"
COST = "cost"
OUTCOMES_KEY = "outcomes_key"

INGEST = "ingest"
SKIP = "skip"

DATA = "data"
REPORT_KEY = "report_key"
DONE = "done"
