"""A CUR 2.0 chunk as AWS delivers it: seeded, 125 columns, every charge type, realistic repeats.

What decides the speed of a conversion is how many distinct values a column has. Here a bill has
20 linked accounts, 60,000 resources, 3,000 SKUs with their product attributes as JSON, an hour of
the month for each row, and costs that nearly all differ. Rows stand in random order, the hardest
case, since the real order is not documented. Columns: AWS Data Exports user guide, "Data Exports
table dictionary", CUR 2.0.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from isal import igzip

# isal's stubs leave this without types.
IGZIP: Callable[..., Any] = igzip.open

PERIOD = "2026-10"
BATCH = 100_000
ACCOUNTS = 20
RESOURCES = 60_000
SKUS = 3_000
HOURS = 31 * 24

# Line item types by how many of 10,000 rows are of them.
CHARGE_TYPES: Mapping[str, int] = {
    "Usage": 7_180,
    "SavingsPlanCoveredUsage": 800,
    "SavingsPlanNegation": 800,
    "DiscountedUsage": 600,
    "Tax": 200,
    "Credit": 120,
    "EdpDiscount": 120,
    "PrivateRateDiscount": 40,
    "BundledDiscount": 40,
    "SppDiscount": 20,
    "RiVolumeDiscount": 10,
    "Discount": 10,
    "RIFee": 20,
    "SavingsPlanRecurringFee": 20,
    "SavingsPlanUpfrontFee": 2,
    "Fee": 13,
    "Refund": 5,
}
# Product code, name, family, usage type, operation and unit of each.
SERVICES = tuple(
    tuple(line.split("; "))
    for line in """\
AmazonEC2; Amazon Elastic Compute Cloud; Compute Instance; BoxUsage; RunInstances; Hrs
AmazonEC2; Amazon Elastic Compute Cloud; Storage; EBS:VolumeUsage; CreateVolume-Gp3; GB-Mo
AmazonS3; Amazon Simple Storage Service; Storage; TimedStorage-ByteHrs; StandardStorage; GB-Mo
AmazonS3; Amazon Simple Storage Service; API Request; Requests-Tier1; PutObject; Requests
AmazonRDS; Amazon Relational Database Service; Database; InstanceUsage; CreateDBInstance; Hrs
AWSLambda; AWS Lambda; Serverless; Lambda-GB-Second; Invoke; Lambda-GB-Second
AmazonCloudWatch; AmazonCloudWatch; Metric; CW:MetricMonitorUsage; MetricStorage; Metrics
AmazonDynamoDB; Amazon DynamoDB; Database Storage; ReadUnits; CommittedThroughput; Units
AmazonVPC; Amazon Virtual Private Cloud; VpcEndpoint; VpcEndpoint-Hours; VpcEndpoint; Hrs
AmazonEKS; Amazon Elastic Kubernetes Service; Compute; Hours:perCluster; CreateOperation; Hrs
awskms; AWS Key Management Service; API Request; KMS-Requests; Decrypt; Requests
AWSQueueService; Amazon Simple Queue Service; API Request; Requests-Tier1; Send; Requests
AWSELB; Elastic Load Balancing; Load Balancer; LCUUsage; LoadBalancing:Application; LCU-Hrs
AmazonElastiCache; Amazon ElastiCache; Cache Instance; NodeUsage; CreateCacheCluster; Hrs
AWSDataTransfer; AWS Data Transfer; Data Transfer; DataTransfer-Out-Bytes; ; GB
""".splitlines()
)
REGIONS = (
    ("us-east-1", "US East (N. Virginia)", "USE1"),
    ("us-west-2", "US West (Oregon)", "USW2"),
    ("eu-central-1", "EU (Frankfurt)", "EUC1"),
    ("eu-west-1", "EU (Ireland)", "EUW1"),
    ("ap-southeast-2", "Asia Pacific (Sydney)", "APS2"),
)
SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
FAMILIES = ("m5", "m6i", "c5", "c6g", "r5", "r6g", "t3", "m7g")
TEAMS = ("shop", "search", "payments", "platform", "data", "mobile", "identity", "ads")
STAGES = ("prod", "staging", "dev")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def write_chunk(path: Path, rows: int, seed: int = 20261001) -> None:
    """Write `rows` line items to `path` as csv.gz; the same seed gives the same file."""
    world = _world(np.random.default_rng(seed))
    with IGZIP(path, "wb", compresslevel=3) as out:
        for number, count in enumerate(_counts(rows)):
            table = _batch(world, np.random.default_rng([seed, number]), count)
            if number == 0:
                out.write(f"{','.join(table.column_names)}\n".encode())
            out.write(_lines_of(table))


def _lines_of(table: pa.Table) -> memoryview:
    """The rows as csv: values in quotes only where they must be."""
    cells = [_quoted(column.combine_chunks()) for column in table.columns]
    cells[-1] = pc.binary_join_element_wise(cells[-1], "\n", "")
    return memoryview(pc.binary_join_element_wise(*cells, ",").buffers()[2])


def _quoted(column: pa.Array) -> pa.Array:
    special = pc.or_(pc.match_substring(column, '"'), pc.match_substring(column, ","))
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), column)


def _counts(rows: int) -> Iterator[int]:
    for start in range(0, rows, BATCH):
        yield min(BATCH, rows - start)


@dataclass(frozen=True)
class _World:
    """What the rows of a bill speak of: texts by number, and the numbers of a resource."""

    texts: Mapping[str, pa.Array]
    resource_account: Integers
    resource_sku: Integers
    sku_rate: Floats
    sku_is_compute: Flags


def _world(random: np.random.Generator) -> _World:
    texts: dict[str, list[str]] = {}
    _describe_accounts(texts)
    services = random.integers(0, len(SERVICES), SKUS)
    for number, service in enumerate(services):
        _describe_sku(texts, number, int(service))
    resource_sku = random.integers(0, SKUS, RESOURCES)
    resource_account = (random.pareto(1.2, RESOURCES) * 2).astype(np.int64) % ACCOUNTS
    for number in range(RESOURCES):
        _describe_resource(
            texts, number, int(services[resource_sku[number]]), int(resource_account[number])
        )
    return _World(
        {name: pa.array(values) for name, values in texts.items()},
        resource_account,
        resource_sku,
        np.round(random.lognormal(-3, 1.5, SKUS), 10) + 1e-6,
        np.array([SERVICES[service][2] == "Compute Instance" for service in services]),
    )


def _describe_accounts(texts: dict[str, list[str]]) -> None:
    for number in range(ACCOUNTS):
        _add(
            texts,
            account=f"{222222222000 + number:012d}",
            account_name=f"{TEAMS[number % 8]}-{STAGES[number % 3]}",
            category=json.dumps(
                {"Team": TEAMS[number % 8], "Environment": STAGES[number % 3]},
                separators=(",", ":"),
            ),
        )


def _describe_sku(texts: dict[str, list[str]], number: int, service: int) -> None:
    code, name, family, usage, operation, unit = SERVICES[service]
    region, location, prefix = REGIONS[number % len(REGIONS)]
    size = f"{FAMILIES[number % 8]}.{SIZES[number % 5]}"
    usage_type = f"{prefix}-{usage}" + (f":{size}" if "Usage" in usage else f":{number % 40}")
    sku = f"{np.base_repr(number * 7_919 + 2**60, 36):0>16.16}"
    product = {
        "product_name": name,
        "servicename": name,
        "region": region,
        "location": location,
        "instance_type": size,
        "vcpu": str(2 ** (number % 6)),
        "memory": f"{2 ** (number % 8)} GiB",
        "operating_system": "Linux" if number % 3 else "Windows",
        "tenancy": "Shared",
        "physical_processor": "Intel Xeon Platinum 8175",
        "network_performance": "Up to 10 Gigabit",
        "current_generation": "Yes",
        "volume_api_name": "gp3",
        "sku": sku,
    }
    _add(
        texts,
        product_code=code,
        product_family=family,
        usage_type=usage_type,
        operation=operation,
        unit=unit,
        region=region,
        location=location,
        zone=f"{region}{'abc'[number % 3]}",
        instance_type=size,
        instance_family="General purpose" if number % 2 else "Compute optimized",
        sku=sku,
        rate_code=f"{sku}.JRTCKXETXF.6YS6EN2CT7",
        rate_id=str(10_000_000 + number * 37),
        description=f"${number * 0.0137:.4f} per {unit} for {usage_type} in {location}",
        product=json.dumps(product, separators=(",", ":")),
    )


def _describe_resource(
    texts: dict[str, list[str]], number: int, service: int, account: int
) -> None:
    code, _, family, _, _, _ = SERVICES[service]
    owner, key = f"{222222222000 + account:012d}", number * 2_654_435_761 % 2**64
    if family == "Compute Instance":
        resource = f"i-{key:017x}"
    elif family == "Storage" and code == "AmazonEC2":
        resource = f"vol-{key:017x}"
    elif code == "AmazonS3":
        resource = f"{TEAMS[number % 8]}-{STAGES[number % 3]}-data-{number}"
    else:
        kind = code.removeprefix("Amazon").removeprefix("AWS").lower()
        resource = f"arn:aws:{kind}:eu-central-1:{owner}:resource/{TEAMS[number % 8]}-{number:06d}"
    tags = {
        "user_name": f"{TEAMS[number % 8]}-{number % 20_000}",
        "user_team": TEAMS[number % 8],
        "user_environment": STAGES[number % 3],
        "user_cost_center": f"CC-{number % 97:04d}",
        "user_application": f"app-{number % 311}",
        "aws_created_by": f"AssumedRole:AROA{number % 53:08d}:deploy",
    }
    _add(
        texts,
        resource=resource,
        tags=json.dumps(tags, separators=(",", ":")) if number % 10 else "",
    )


def _add(texts: dict[str, list[str]], **values: str) -> None:
    for name, value in values.items():
        texts.setdefault(name, []).append(value)


@dataclass(frozen=True)
class _Lines:
    """A batch of line items under way."""

    world: _World
    random: np.random.Generator
    charge: pa.DictionaryArray
    resource: Integers
    hour: Integers
    amount: Floats
    cost: Floats
    public: Floats

    @property
    def count(self) -> int:
        return len(self.resource)

    def of(self, *charge_types: str) -> Flags:
        numbers = [list(CHARGE_TYPES).index(name) for name in charge_types]
        return np.isin(self.charge.indices.to_numpy(), numbers)

    def look_up(self, name: str, numbers: Integers) -> pa.Array:
        return self.world.texts[name].take(pa.array(numbers))


def _batch(world: _World, random: np.random.Generator, count: int) -> pa.Table:
    shares = np.array(list(CHARGE_TYPES.values())) / sum(CHARGE_TYPES.values())
    charge = pa.DictionaryArray.from_arrays(
        pa.array(random.choice(len(shares), count, p=shares).astype(np.int32)), list(CHARGE_TYPES)
    )
    resource = (RESOURCES * random.beta(0.7, 1.6, count)).astype(np.int64) % RESOURCES
    amount = np.where(random.random(count) < 0.35, 1.0, np.round(random.lognormal(0, 3, count), 10))
    public = amount * world.sku_rate[world.resource_sku[resource]]
    lines = _Lines(
        world, random, charge, resource, random.integers(0, HOURS, count), amount,
        public * np.where(random.random(count) < 0.2, 0.93, 1.0), public,
    )  # fmt: skip
    made: dict[str, pa.Array] = {}
    for group in (_identity, _bill, _line_item, _product, _pricing, _reservation, _plan, _split):
        made |= group(lines)
    return pa.table(dict(sorted(made.items())))


def _identity(lines: _Lines) -> dict[str, pa.Array]:
    letters = lines.random.integers(97, 123, (lines.count, 52), dtype=np.uint8)
    unique = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(52), lines.count, [None, pa.py_buffer(letters.tobytes())]
    )
    start, end = _moments(lines.hour), _moments(lines.hour + 1)
    return {
        "identity_line_item_id": unique.cast(pa.binary()).cast(pa.string()),
        "identity_time_interval": pc.binary_join_element_wise(start, end, "/"),
    }


def _bill(lines: _Lines) -> dict[str, pa.Array]:
    one = _constants(lines)
    return {
        "bill_bill_type": _where(lines.of("Refund"), "Refund", "Anniversary"),
        "bill_billing_entity": _where(lines.resource % 400 == 0, "AWS Marketplace", "AWS"),
        "bill_billing_period_end_date": one("2026-11-01T00:00:00.000Z"),
        "bill_billing_period_start_date": one("2026-10-01T00:00:00.000Z"),
        "bill_invoice_id": one("1234567890"),
        "bill_invoicing_entity": one("Amazon Web Services EMEA SARL"),
        "bill_payer_account_id": one("111111111111"),
        "bill_payer_account_name": one("Example Holding"),
    }


def _line_item(lines: _Lines) -> dict[str, pa.Array]:
    sku = lines.world.resource_sku[lines.resource]
    account = lines.world.resource_account[lines.resource]
    rate = _money(lines.world.sku_rate[sku])
    one, start = _constants(lines), _moments(lines.hour)
    reduced = lines.of("Credit", "EdpDiscount", "PrivateRateDiscount", "BundledDiscount", "Refund")
    sign = np.where(reduced | lines.of("SavingsPlanNegation", "SppDiscount", "Discount"), -1, 1)
    paid = np.where(lines.of("DiscountedUsage"), 0.0, lines.cost * sign)
    without_resource = lines.of("Tax", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "RIFee")
    # Split cost allocation repeats the cost of an instance for the pods that ran on it.
    pods = lines.of("Usage") & (lines.random.random(lines.count) < 0.01)
    discounted = lines.resource % 3 == 0
    discount = pc.binary_join_element_wise('{"EDP":', _money(lines.cost * -0.07), "}", "")
    return {
        "cost_category": lines.look_up("category", account),
        "discount": _only(discounted, discount),
        "discount_bundled_discount": one(""),
        "discount_total_discount": _only(discounted, _money(lines.cost * -0.07)),
        "line_item_availability_zone": _only(sku % 3 != 0, lines.look_up("zone", sku)),
        "line_item_blended_cost": _money(paid),
        "line_item_blended_rate": rate,
        "line_item_currency_code": one("USD"),
        "line_item_legal_entity": one("Amazon Web Services EMEA SARL"),
        "line_item_line_item_description": lines.look_up("description", sku),
        "line_item_line_item_type": lines.charge.dictionary_decode(),
        "line_item_net_unblended_cost": _money(paid * 0.93),
        "line_item_net_unblended_rate": rate,
        "line_item_normalization_factor": _only(lines.world.sku_is_compute[sku], one("8.0")),
        "line_item_normalized_usage_amount": _only(
            lines.world.sku_is_compute[sku], _money(lines.amount * 8)
        ),
        "line_item_operation": pc.if_else(
            pa.array(pods), "EKSPod-EC2", lines.look_up("operation", sku)
        ),
        "line_item_product_code": lines.look_up("product_code", sku),
        "line_item_resource_id": _only(
            ~without_resource, lines.look_up("resource", lines.resource)
        ),
        "line_item_tax_type": _where(lines.of("Tax"), "VAT", ""),
        "line_item_unblended_cost": _money(paid),
        "line_item_unblended_rate": rate,
        "line_item_usage_account_id": lines.look_up("account", account),
        "line_item_usage_account_name": lines.look_up("account_name", account),
        "line_item_usage_amount": _money(lines.amount),
        "line_item_usage_end_date": _moments(lines.hour + 1),
        "line_item_usage_start_date": start,
        "line_item_usage_type": lines.look_up("usage_type", sku),
        "resource_tags": _only(~without_resource, lines.look_up("tags", lines.resource)),
    }


def _product(lines: _Lines) -> dict[str, pa.Array]:
    sku = lines.world.resource_sku[lines.resource]
    one = _constants(lines)
    names = (
        "product_comment product_fee_code product_fee_description product_from_location "
        "product_from_location_type product_from_region_code product_instancesku "
        "product_to_location product_to_location_type product_to_region_code"
    )
    return dict.fromkeys(names.split(), one("")) | {
        "product": lines.look_up("product", sku),
        "product_instance_family": lines.look_up("instance_family", sku),
        "product_instance_type": lines.look_up("instance_type", sku),
        "product_location": lines.look_up("location", sku),
        "product_location_type": one("AWS Region"),
        "product_operation": lines.look_up("operation", sku),
        "product_pricing_unit": lines.look_up("unit", sku),
        "product_product_family": lines.look_up("product_family", sku),
        "product_region_code": lines.look_up("region", sku),
        "product_servicecode": lines.look_up("product_code", sku),
        "product_sku": lines.look_up("sku", sku),
        "product_usagetype": lines.look_up("usage_type", sku),
    }


def _pricing(lines: _Lines) -> dict[str, pa.Array]:
    sku = lines.world.resource_sku[lines.resource]
    one, reserved = _constants(lines), lines.of("DiscountedUsage", "RIFee")
    priced = lines.of("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
    return {
        "pricing_currency": one("USD"),
        "pricing_lease_contract_length": _where(reserved, "1yr", ""),
        "pricing_offering_class": _where(reserved, "standard", ""),
        "pricing_public_on_demand_cost": _only(priced, _money(lines.public)),
        "pricing_public_on_demand_rate": _only(priced, _money(lines.world.sku_rate[sku])),
        "pricing_purchase_option": _where(reserved, "No Upfront", ""),
        "pricing_rate_code": _only(priced, lines.look_up("rate_code", sku)),
        "pricing_rate_id": _only(priced, lines.look_up("rate_id", sku)),
        "pricing_term": _where(reserved, "Reserved", "OnDemand"),
        "pricing_unit": _only(priced, lines.look_up("unit", sku)),
    }


def _reservation(lines: _Lines) -> dict[str, pa.Array]:
    used, fee = lines.of("DiscountedUsage"), lines.of("RIFee")
    either, one = used | fee, _constants(lines)
    effective = _only(used, _money(lines.public * 0.6))
    unused = _only(fee, _money(lines.public * 0.1))
    arn = pc.binary_join_element_wise(
        "arn:aws:ec2:eu-central-1:111111111111:reserved-instances/",
        _hexadecimal(lines.resource % 150),
        "",
    )
    return {
        "reservation_amortized_upfront_cost_for_usage": _where(used, "0.0", ""),
        "reservation_amortized_upfront_fee_for_billing_period": _where(fee, "0.0", ""),
        "reservation_availability_zone": one(""),
        "reservation_effective_cost": effective,
        "reservation_end_time": _where(either, "2027-03-01T00:00:00.000Z", ""),
        "reservation_modification_status": _where(either, "Original", ""),
        "reservation_net_amortized_upfront_cost_for_usage": _where(used, "0.0", ""),
        "reservation_net_amortized_upfront_fee_for_billing_period": _where(fee, "0.0", ""),
        "reservation_net_effective_cost": effective,
        "reservation_net_recurring_fee_for_usage": effective,
        "reservation_net_unused_amortized_upfront_fee_for_billing_period": _where(fee, "0.0", ""),
        "reservation_net_unused_recurring_fee": unused,
        "reservation_net_upfront_value": _where(fee, "0.0", ""),
        "reservation_normalized_units_per_reservation": _where(either, "8.0", ""),
        "reservation_number_of_reservations": _where(either, "1", ""),
        "reservation_recurring_fee_for_usage": effective,
        "reservation_reservation_a_r_n": _only(either, arn),
        "reservation_start_time": _where(either, "2026-03-01T00:00:00.000Z", ""),
        "reservation_subscription_id": _where(either, "9876543210", ""),
        "reservation_total_reserved_normalized_units": _where(fee, "5952.0", ""),
        "reservation_total_reserved_units": _where(fee, "744.0", ""),
        "reservation_units_per_reservation": _where(either, "744.0", ""),
        "reservation_unused_amortized_upfront_fee_for_billing_period": _where(fee, "0.0", ""),
        "reservation_unused_normalized_unit_quantity": _where(fee, "12.5", ""),
        "reservation_unused_quantity": _where(fee, "1.5625", ""),
        "reservation_unused_recurring_fee": unused,
        "reservation_upfront_value": _where(fee, "0.0", ""),
    }


def _plan(lines: _Lines) -> dict[str, pa.Array]:
    used, fee = lines.of("SavingsPlanCoveredUsage"), lines.of("SavingsPlanRecurringFee")
    any_ = used | fee | lines.of("SavingsPlanNegation", "SavingsPlanUpfrontFee")
    effective = _only(used, _money(lines.public * 0.7))
    arn = pc.binary_join_element_wise(
        "arn:aws:savingsplans::111111111111:savingsplan/", _hexadecimal(lines.resource % 40), ""
    )
    total = _only(fee, _money(lines.cost))
    return {
        "savings_plan_amortized_upfront_commitment_for_billing_period": _where(fee, "0.0", ""),
        "savings_plan_end_time": _where(any_, "2028-05-31T23:59:59.000Z", ""),
        "savings_plan_instance_type_family": _where(used, "m5", ""),
        "savings_plan_net_amortized_upfront_commitment_for_billing_period": _where(fee, "0.0", ""),
        "savings_plan_net_recurring_commitment_for_billing_period": total,
        "savings_plan_net_savings_plan_effective_cost": effective,
        "savings_plan_offering_type": _where(any_, "ComputeSavingsPlans", ""),
        "savings_plan_payment_option": _where(any_, "No Upfront", ""),
        "savings_plan_purchase_term": _where(any_, "1yr", ""),
        "savings_plan_recurring_commitment_for_billing_period": total,
        "savings_plan_region": _where(any_, "Any", ""),
        "savings_plan_savings_plan_a_r_n": _only(any_, arn),
        "savings_plan_savings_plan_effective_cost": effective,
        "savings_plan_savings_plan_rate": _where(used, "0.0672", ""),
        "savings_plan_start_time": _where(any_, "2025-06-01T00:00:00.000Z", ""),
        "savings_plan_total_commitment_to_date": total,
        "savings_plan_used_commitment": _only(fee, _money(lines.cost * 0.9)),
    }


def _split(lines: _Lines) -> dict[str, pa.Array]:
    names = (
        "actual_usage net_split_cost net_unused_cost parent_resource_id "
        "public_on_demand_split_cost public_on_demand_unused_cost reserved_usage split_cost "
        "split_usage split_usage_ratio unused_cost"
    )
    return {f"split_line_item_{name}": _constants(lines)("") for name in names.split()}


def _constants(lines: _Lines) -> Callable[[str], pa.Array]:
    return lambda value: pa.repeat(value, lines.count)


def _where(condition: Flags, value: str, otherwise: str) -> pa.Array:
    return pc.if_else(pa.array(condition), value, otherwise)


def _only(condition: Any, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(condition), values, "")


def _money(figures: Floats) -> pa.Array:
    """As AWS writes it: ten digits after the point."""
    return pa.array(np.round(figures, 10)).cast(pa.decimal128(28, 10), safe=False).cast(pa.string())


def _moments(hours: Integers) -> pa.Array:
    texts = np.datetime_as_string(
        np.datetime64(f"{PERIOD}-01T00", "ms")
        + np.arange(HOURS + 1) * np.timedelta64(3_600_000, "ms")
    )
    return pa.array([f"{text}Z" for text in texts]).take(pa.array(hours))


def _hexadecimal(numbers: Integers) -> pa.Array:
    made = [
        f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(int(numbers.max()) + 1)
    ]
    return pa.array(made).take(pa.array(numbers))
