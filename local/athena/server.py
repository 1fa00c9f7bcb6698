"""ministack's side: its stores of catalog, objects and workgroups as the engine's ports."""

import copy
import json
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from ministack.services import athena, glue, s3

from local.athena import objects
from local.athena.catalog import Partition, Snapshot, Table, read_table
from local.athena.failures import QueryFailed
from local.athena.objects import StoredObject

_SETTLE_SECONDS = 0.002
_SETTLE_TRIES = 500


def snapshot() -> Snapshot:
    """The caller's Glue catalog (account and region of the request) as it is now."""
    tables = {}
    for key, item in glue._tables.items():
        table = _table(key, item)
        tables[table.database, table.name] = table
    return Snapshot(frozenset(name.lower() for name in glue._databases), tables)


def _table(key: str, item: Mapping[str, Any]) -> Table:
    partitions = [_settled(each) for each in list(glue._partitions.get(key) or [])]
    return read_table(copy.deepcopy(dict(item)), [each for each in partitions if each])


def _settled(partition: dict[str, Any]) -> dict[str, Any]:
    """A copy of a partition; ministack empties it for an instant while it is updated."""
    for _ in range(_SETTLE_TRIES):
        found = dict(partition)
        if "StorageDescriptor" in found:
            return found
        time.sleep(_SETTLE_SECONDS)
    raise QueryFailed("GENERIC_INTERNAL_ERROR: A partition of the catalog stays without a location")


class GlueWriter:
    """Changes the caller's catalog through Glue's own functions."""

    def create(self, database: str, table_input: Mapping[str, Any], *, replace: bool) -> None:
        name = table_input["Name"]
        request = {"DatabaseName": database, "TableInput": dict(table_input)}
        exists = replace and f"{database}/{name}" in glue._tables
        _done(glue._update_table(request) if exists else glue._create_table(request))

    def drop(self, database: str, name: str) -> None:
        _done(glue._delete_table({"DatabaseName": database, "Name": name}))

    def add_partition(self, database: str, name: str, partition: Partition) -> None:
        storage = copy.deepcopy(glue._tables[f"{database}/{name}"]["StorageDescriptor"])
        storage["Location"] = partition.location
        given = {"Values": list(partition.values), "StorageDescriptor": storage}
        request = {"DatabaseName": database, "TableName": name, "PartitionInput": given}
        _done(glue._create_partition(request))

    def drop_partition(self, database: str, name: str, values: tuple[str, ...]) -> None:
        request = {"DatabaseName": database, "TableName": name, "PartitionValues": list(values)}
        _done(glue._delete_partition(request))


def _done(answer: tuple[int, Any, bytes]) -> None:
    status, _, body = answer
    if status >= 300:
        reason = json.loads(body)
        raise QueryFailed(f"FAILED: {reason.get('__type')}: {reason.get('message')}")


class Objects:
    """S3 as the caller's account has it; permissions are not asked (see the package)."""

    def list(self, location: str) -> list[StoredObject]:
        name, prefix = objects.split(location)
        bucket = s3._buckets.get(name)
        if bucket is None:
            raise QueryFailed(f"HIVE_METASTORE_ERROR: The specified bucket does not exist: {name}")
        # Others write in the meantime. A copy is made in one step; a list of pairs is not, since
        # Python
        # may collect garbage, and let another thread run, between two of them.
        found = sorted((k, v["size"]) for k, v in bucket["objects"].copy().items())
        return [StoredObject(f"s3://{name}/{k}", size) for k, size in found if k.startswith(prefix)]

    def read(self, uri: str) -> bytes:
        data: bytes | None = s3._get_object_data(*objects.split(uri))
        if data is None:
            raise QueryFailed(
                f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {uri}: no such key"
            )
        return data

    def write(self, uri: str, data: bytes, content_type: str) -> None:
        status, _, body = s3._put_object(*objects.split(uri), data, {"content-type": content_type})
        if status >= 300:
            code = ET.fromstring(body).findtext("Code", "InternalError")  # noqa: S314 - our own XML
            raise QueryFailed(f"Unable to write the results to {uri}: {code}")


def bucket_exists(location: str) -> bool:
    return objects.split(location)[0] in s3._buckets


def workgroup(name: str) -> Mapping[str, Any] | None:
    athena._ensure_default_workgroup()
    found: Mapping[str, Any] | None = athena._workgroups.get(name)
    return found
