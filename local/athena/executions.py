"""Queries from StartQueryExecution to their end, or to StopQueryExecution.

A query's state is the dictionary that ministack's own GetQueryExecution shows and persists; keys
that begin with `_` are never shown.
"""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import responses
from ministack.services import athena

from local.athena import answers, run, server, statements, text, workgroups
from local.athena.engine import Context, Engine, Outcome
from local.athena.failures import QueryFailed, RequestRefused

State = dict[str, Any]

_log = logging.getLogger(__name__)
_QUERIES_AT_ONCE = 4
_INTERRUPT_SECONDS = 0.02

_places = threading.BoundedSemaphore(_QUERIES_AT_ONCE)
_engines: dict[str, Engine] = {}
_tokens = responses.AccountRegionScopedDict()
_lock = threading.Lock()


def start(request: Mapping[str, Any]) -> dict[str, str]:
    """StartQueryExecution: check, note the catalog as it is now, and run in another thread."""
    name = request.get("WorkGroup") or workgroups.PRIMARY
    asked = (request.get("ResultConfiguration") or {}).get("OutputLocation") or ""
    rules = workgroups.rules(name, server.workgroup(name), asked)
    if not server.bucket_exists(rules.results):
        raise RequestRefused(f"Unable to verify/create output bucket {rules.results.split('/')[2]}")
    again = _repeated(request)
    if again:
        return {"QueryExecutionId": again}
    sql = request.get("QueryString") or ""
    parameters = tuple(request.get("ExecutionParameters") or ())
    statement = _statement(sql, parameters, name)
    query_id = str(responses.new_uuid())
    context = Context(
        snapshot=server.snapshot(),
        store=server.Objects(),
        catalog=server.GlueWriter(),
        database=(
            (request.get("QueryExecutionContext") or {}).get("Database") or "default"
        ).lower(),
        results=rules.results,
        query_id=query_id,
        cutoff=rules.cutoff,
        enforced=rules.enforced,
    )
    state = _state(query_id, sql, statement, name, context)
    if parameters:
        state["ExecutionParameters"] = list(parameters)
    athena._executions[query_id] = state
    if request.get("ClientRequestToken"):
        _tokens[request["ClientRequestToken"]] = {"sql": sql, "id": query_id}
    arguments = (_execute, state, statement, context, name)
    # A daemon: a query that still runs does not keep the server from ending.
    threading.Thread(target=contextvars.copy_context().run, args=arguments, daemon=True).start()
    return {"QueryExecutionId": query_id}


def _repeated(request: Mapping[str, Any]) -> str:
    """The query that the same ClientRequestToken has started already."""
    known = _tokens.get(request.get("ClientRequestToken"))
    if not known or known["id"] not in athena._executions:
        return ""
    if known["sql"] != request.get("QueryString"):
        raise RequestRefused("Idempotent parameters do not match")
    return str(known["id"])


def _statement(sql: str, parameters: tuple[str, ...], workgroup: str) -> statements.Statement:
    """What to run: placeholders filled, a prepared statement looked up."""
    statement = statements.read(sql)
    if isinstance(statement, statements.Prepare):
        statements.read(statement.query)
        return statement
    if isinstance(statement, statements.Execute):
        prepared = athena._prepared_statements.get(f"{workgroup}/{statement.name}")
        if prepared is None:
            raise RequestRefused(
                f"PreparedStatement {statement.name} was not found in {workgroup}."
            )
        given = statement.parameters or parameters
        return statements.read(run.with_parameters(prepared["QueryStatement"], given))
    if isinstance(statement, statements.Foreign):
        _require_external(statement.sql)
        return statement
    filled = run.with_parameters(sql, parameters)
    return statements.read(filled) if parameters else statement


def _require_external(sql: str) -> None:
    if athena._parse_ddl(sql) is None:
        raise RequestRefused("FAILED: ParseException", athena_code="MALFORMED_QUERY")


def _state(
    query_id: str, sql: str, statement: statements.Statement, workgroup: str, context: Context
) -> State:
    suffix = ".csv" if statement.type == "DML" else ".txt"
    version = "Athena engine version 3"
    state: State = {
        "QueryExecutionId": query_id,
        "Query": sql,
        "StatementType": statement.type,
        "ResultConfiguration": {"OutputLocation": f"{context.results}{query_id}{suffix}"},
        "QueryExecutionContext": {"Database": context.database, "Catalog": "awsdatacatalog"},
        "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        "Statistics": {"DataScannedInBytes": 0},
        "WorkGroup": workgroup,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": version},
        "_results": None,
    }
    if statement.substatement:
        state["SubstatementType"] = statement.substatement
    return state


def _execute(
    state: State, statement: statements.Statement, context: Context, workgroup: str
) -> None:
    """Run a query to its final state; nothing it does wrong ends the thread."""
    with _places:
        _run(state, statement, context, workgroup)


def _run(state: State, statement: statements.Statement, context: Context, workgroup: str) -> None:
    started = time.monotonic()
    try:
        if not _move(state, "QUEUED", "RUNNING"):
            return
        outcome = _outcome(state, statement, context, workgroup)
        _save(state, outcome, context, statement)
        _move(state, "RUNNING", "SUCCEEDED")
    except QueryFailed as error:
        _fail(state, error.reason, "CANCELLED" if error.cancelled else "FAILED")
    except Exception as error:
        _log.exception("Athena query %s failed within the local cloud", state["QueryExecutionId"])
        _fail(
            state, f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", "FAILED", ours=True
        )
    finally:
        milliseconds = int((time.monotonic() - started) * 1000)
        state["Statistics"]["EngineExecutionTimeInMillis"] = milliseconds
        state["Statistics"]["TotalExecutionTimeInMillis"] = milliseconds


def _outcome(
    state: State, statement: statements.Statement, context: Context, workgroup: str
) -> Outcome:
    if isinstance(statement, statements.Prepare | statements.Deallocate):
        return _prepared(statement, workgroup)
    if isinstance(statement, statements.Foreign):
        return _foreign(statement, context)
    with Engine(context) as engine:
        _engines[state["QueryExecutionId"]] = engine
        try:
            if state["Status"]["State"] != "RUNNING":
                raise QueryFailed("Query was cancelled by user", cancelled=True)
            return run.run(engine, statement)
        finally:
            del _engines[state["QueryExecutionId"]]


def _prepared(statement: statements.Prepare | statements.Deallocate, workgroup: str) -> Outcome:
    key = f"{workgroup}/{statement.name}"
    if isinstance(statement, statements.Deallocate):
        if athena._prepared_statements.pop(key, None) is None:
            raise QueryFailed(f"PreparedStatement {statement.name} was not found in {workgroup}.")
        return Outcome()
    athena._prepared_statements[key] = {
        "StatementName": statement.name,
        "WorkGroupName": workgroup,
        "QueryStatement": statement.query,
        "Description": "",
        "LastModifiedTime": int(time.time()),
    }
    return Outcome()


def _foreign(statement: statements.Foreign, context: Context) -> Outcome:
    try:
        athena._run_ddl(athena._parse_ddl(statement.sql), context.database)
    except ValueError as error:
        raise QueryFailed(f"FAILED: {error}") from error
    return Outcome()


def _save(
    state: State, outcome: Outcome, context: Context, statement: statements.Statement
) -> None:
    """Write the result's file where the query reports it, and keep it for GetQueryResults."""
    names = [column.name for column in outcome.columns]
    is_csv = state["ResultConfiguration"]["OutputLocation"].endswith(".csv")
    body = text.csv(names, outcome.rows) if is_csv and names else text.tabbed(outcome.rows)
    location = state["ResultConfiguration"]["OutputLocation"]
    columns = [answers.column(each.name, each.type) for each in outcome.columns]
    context.store.write(location, body, "text/csv" if is_csv else "text/plain")
    # What AWS writes here is binary and not documented; readers only need the object to be there.
    context.store.write(f"{location}.metadata", json.dumps(columns).encode(), "application/json")
    if outcome.manifest:
        manifest = f"{context.results}{context.query_id}-manifest.csv"
        context.store.write(
            manifest, "".join(f"{m}\n" for m in outcome.manifest).encode(), "text/csv"
        )
        state["Statistics"]["DataManifestLocation"] = manifest
    state["Statistics"]["DataScannedInBytes"] = outcome.scanned_bytes
    rows: list[list[text.Cell]] = [list(row) for row in outcome.rows]
    if isinstance(statement, statements.Select):
        rows.insert(0, list(names))
    state["_results"] = {"columns": columns, "rows": rows}


def _move(state: State, before: str, after: str) -> bool:
    """Change a query's state unless another thread (a cancellation) has changed it before."""
    with _lock:
        if state["Status"]["State"] != before:
            return False
        if after != "RUNNING":
            state["Status"]["CompletionDateTime"] = time.time()
        state["Status"]["State"] = after
        return True


def _fail(state: State, reason: str, final: str, *, ours: bool = False) -> None:
    with _lock:
        status = state["Status"]
        if status["State"] == "CANCELLED":
            return
        status["StateChangeReason"] = reason
        status["CompletionDateTime"] = time.time()
        if final == "FAILED":
            category = 1 if ours else 2  # 1 is the system's fault, 2 the user's (API_AthenaError)
            status["AthenaError"] = {
                "ErrorCategory": category,
                "Retryable": False,
                "ErrorMessage": reason,
            }
        status["State"] = final


def stop(request: Mapping[str, Any]) -> dict[str, str]:
    """StopQueryExecution: a running query ends soon and is CANCELLED at once."""
    query_id = request.get("QueryExecutionId")
    state = athena._executions.get(query_id)
    if state is None:
        raise RequestRefused(f"QueryExecution {query_id} was not found")
    if state["Status"]["State"] in ("QUEUED", "RUNNING"):
        _fail(state, "Query was cancelled by user", "CANCELLED")
        threading.Thread(target=_interrupt, args=(str(query_id),), daemon=True).start()
    return {}


def _interrupt(query_id: str) -> None:
    """Cancel a query's engine until it is gone; DuckDB forgets an interrupt before a statement."""
    while engine := _engines.get(query_id):
        engine.cancel()
        time.sleep(_INTERRUPT_SECONDS)
