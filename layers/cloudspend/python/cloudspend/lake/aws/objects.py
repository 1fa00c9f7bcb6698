"""Objects of the lake in S3."""

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cloudspend.aws.errors import aws_errors
from cloudspend.aws.paging import elements
from cloudspend.convert.model import ParquetTotals
from cloudspend.convert.writer import parquet_totals
from cloudspend.errors import Defect, TransientError
from cloudspend.lake.ports import StagedFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

RANGE_BYTES = 1024 * 1024
DELETED_AT_ONCE = 1000  # Amazon S3 API reference, DeleteObjects


class S3Lake:
    """`Lake` on a boto3 S3 client."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def write_json(self, key: str, value: Any) -> None:
        with aws_errors("S3"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(value).encode())

    def read_json(self, key: str) -> Any:
        try:
            with aws_errors("S3"):
                return json.load(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"])
        except (self._s3.exceptions.NoSuchKey, ValueError) as error:
            raise Defect(f"s3://{self._bucket}/{key} is missing or no JSON.", key=key) from error

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        listed = elements(
            self._s3, "list_objects_v2", "Contents", "S3", Bucket=self._bucket, Prefix=prefix
        )
        return tuple(
            StagedFile(entry["Key"], entry["Size"], entry["LastModified"]) for entry in listed
        )

    def groups(self, prefix: str, delimiter: str) -> tuple[str, ...]:
        prefixes = elements(
            self._s3,
            "list_objects_v2",
            "CommonPrefixes",
            "S3",
            Bucket=self._bucket,
            Prefix=prefix,
            Delimiter=delimiter,
        )
        return tuple(entry["Prefix"] for entry in prefixes)

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), DELETED_AT_ONCE):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": key} for key in keys[start : start + DELETED_AT_ONCE]
            ]
            with aws_errors("S3"):
                answer = self._s3.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
                )
            # DeleteObjects succeeds as a call even if it deletes no object.
            if answer.get("Errors"):
                raise TransientError("S3 did not delete every object.", kept=answer["Errors"][:10])

    def parquet_totals(self, key: str, columns: Sequence[str]) -> ParquetTotals:
        # A Parquet reader reads the footer and the requested columns, so memory and transfer stay
        # small for files of any size.
        with aws_errors("S3"):
            ranges = _Ranges(self._s3, self._bucket, key)
            return parquet_totals(io.BufferedReader(ranges, RANGE_BYTES), columns)


class _Ranges(io.RawIOBase):
    """An object as a seekable file, read by ranges."""

    def __init__(self, s3: "S3Client", bucket: str, key: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        answer = self._s3.get_object(
            Bucket=self._bucket, Key=self._key, Range=f"bytes={self._at}-{end - 1}"
        )
        body = answer["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
