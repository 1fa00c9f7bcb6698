"""A small bill that has every kind of charge: what is converted and handed to the validator.

The line items are written with the names of the legacy report's columns; what other kinds are
delivered in is made from the same line items. Shapes follow AWS's CUR user guide ("Line item
details", "Understanding reservation line items", "Understanding savings plan line items").
"""

from collections.abc import Mapping
from itertools import count

from cloudspend.exports.model import BillingPeriod

PERIOD = BillingPeriod(2026, 10)
PAYER, SHOP = "111111111111", "022222222222"
RESERVATION = f"arn:aws:ec2:eu-central-1:{PAYER}:reserved-instances/0a1b2c3d-1111-4222-8333-abcdef"
SAVINGS_PLAN = f"arn:aws:savingsplans::{PAYER}:savingsplan/9f8e7d6c-5555-4666-8777-fedcba"

LineItem = Mapping[str, str]

BILL: LineItem = {
    "bill/BillingEntity": "AWS",
    "bill/BillingPeriodEndDate": "2026-11-01T00:00:00Z",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
    "bill/BillType": "Anniversary",
    "bill/InvoiceId": "1234567890",
    "bill/InvoicingEntity": "Amazon Web Services EMEA SARL",
    "bill/PayerAccountId": PAYER,
    "lineItem/CurrencyCode": "USD",
    "lineItem/LegalEntity": "Amazon Web Services, Inc.",
    "lineItem/UsageAccountId": SHOP,
    "pricing/currency": "USD",
}
HOUR: LineItem = {
    "identity/TimeInterval": "2026-10-05T01:00:00Z/2026-10-05T02:00:00Z",
    "lineItem/UsageStartDate": "2026-10-05T01:00:00Z",
    "lineItem/UsageEndDate": "2026-10-05T02:00:00Z",
}
MONTH: LineItem = {
    "identity/TimeInterval": "2026-10-01T00:00:00Z/2026-11-01T00:00:00Z",
    "lineItem/UsageStartDate": "2026-10-01T00:00:00Z",
    "lineItem/UsageEndDate": "2026-11-01T00:00:00Z",
}
FRANKFURT: LineItem = {
    "product/location": "EU (Frankfurt)",
    "product/locationType": "AWS Region",
    "product/region": "eu-central-1",
    "product/regionCode": "eu-central-1",
}
TAGGED: LineItem = {
    "resourceTags/user:Name": "web",
    "resourceTags/user:team": "shop",
    "resourceTags/aws:createdBy": "IAMUser:AIDAEXAMPLE:jo",
    "costCategory/Team": "Shop",
}
EC2: LineItem = {
    "lineItem/ProductCode": "AmazonEC2",
    "product/ProductName": "Amazon Elastic Compute Cloud",
    "product/servicecode": "AmazonEC2",
    **FRANKFURT,
}
INSTANCE: LineItem = {
    **EC2,
    "lineItem/AvailabilityZone": "eu-central-1a",
    "lineItem/LineItemDescription": "$0.115 per On Demand Linux m5.large Instance Hour",
    "lineItem/Operation": "RunInstances",
    "lineItem/ResourceId": "i-0123456789abcdef0",
    "lineItem/UsageAmount": "1",
    "lineItem/UsageType": "EUC1-BoxUsage:m5.large",
    "pricing/RateCode": "JG3HZ2T6XTHTUDQ7.JRTCKXETXF.6YS6EN2CT7",
    "pricing/RateId": "1234567",
    "pricing/publicOnDemandCost": "0.1150000000",
    "pricing/publicOnDemandRate": "0.1150000000",
    "pricing/term": "OnDemand",
    "pricing/unit": "Hrs",
    "product/instanceFamily": "General purpose",
    "product/instanceType": "m5.large",
    "product/memory": "8 GiB",
    "product/operatingSystem": "Linux",
    "product/productFamily": "Compute Instance",
    "product/sku": "JG3HZ2T6XTHTUDQ7",
    "product/vcpu": "2",
    **TAGGED,
}
RESERVED: LineItem = {
    "pricing/LeaseContractLength": "1yr",
    "pricing/OfferingClass": "standard",
    "pricing/PurchaseOption": "Partial Upfront",
    "pricing/term": "Reserved",
    "reservation/ReservationARN": RESERVATION,
    "reservation/SubscriptionId": "7654321",
}
PLANNED: LineItem = {
    "savingsPlan/EndTime": "2027-09-30T23:59:59.000Z",
    "savingsPlan/OfferingType": "ComputeSavingsPlans",
    "savingsPlan/PaymentOption": "Partial Upfront",
    "savingsPlan/PurchaseTerm": "1yr",
    "savingsPlan/SavingsPlanARN": SAVINGS_PLAN,
    "savingsPlan/StartTime": "2026-10-01T00:00:00.000Z",
}
PLAN_FEE: LineItem = {
    **PLANNED,
    "lineItem/LineItemDescription": "1 year Partial Upfront Compute Savings Plan",
    "lineItem/Operation": "",
    "lineItem/ProductCode": "ComputeSavingsPlans",
    "lineItem/ResourceId": SAVINGS_PLAN,
    "lineItem/UsageAccountId": PAYER,
    "lineItem/UsageType": "ComputeSP:1yrPartialUpfront",
    "product/ProductName": "Savings Plans for AWS Compute usage",
    "product/region": "global",
    "product/regionCode": "global",
}
MARKETPLACE: LineItem = {
    "bill/BillingEntity": "AWS Marketplace",
    "bill/InvoicingEntity": "AWS Marketplace EMEA",
    "lineItem/LegalEntity": "Example Observability Ltd.",
    "lineItem/ProductCode": "4exampleproductcode000000",
    "product/ProductName": "Example Observability",
}
WHOLE_BILL: LineItem = {
    **MONTH,
    "lineItem/Operation": "",
    "lineItem/ProductCode": "AmazonEC2",
    "product/ProductName": "Amazon Elastic Compute Cloud",
}


def line_items() -> list[dict[str, str]]:
    """The bill, each line item with all that is common and with an id of its own."""
    numbers = count(1)
    return [
        {"identity/LineItemId": f"lineitem{next(numbers):04d}", **BILL, **item}
        for group in (_usage(), _commitments(), _others(), _discounts())
        for item in group
    ]


def _item(charge_type: str, cost: str, *parts: LineItem, **changes: str) -> dict[str, str]:
    """A line item; a change's column is written with `__` for the slash."""
    merged = {key: value for part in parts for key, value in part.items()}
    merged["lineItem/LineItemType"] = charge_type
    merged["lineItem/UnblendedCost"] = cost
    return merged | {column.replace("__", "/"): value for column, value in changes.items()}


def _usage() -> list[dict[str, str]]:
    storage: LineItem = {
        **HOUR,
        **FRANKFURT,
        "lineItem/LineItemDescription": "$0.0245 per GB - first 50 TB / month of storage used",
        "lineItem/Operation": "StandardStorage",
        "lineItem/ProductCode": "AmazonS3",
        "lineItem/ResourceId": "shop-assets",
        "lineItem/UsageAmount": "12.5",
        "lineItem/UsageType": "EUC1-TimedStorage-ByteHrs",
        "lineItem/UnblendedRate": "0.0245000000",
        "pricing/RateCode": "2TPFYXCCF7BQFUPY.JRTCKXETXF.PGHJ3S3EYE",
        "pricing/publicOnDemandCost": "0.3062500000",
        "pricing/publicOnDemandRate": "0.0245000000",
        "pricing/unit": "GB-Mo",
        "product/ProductName": "Amazon Simple Storage Service",
        "product/productFamily": "Storage",
        "product/sku": "2TPFYXCCF7BQFUPY",
        "product/storageClass": "General Purpose",
    }
    requests: LineItem = {
        **HOUR,
        **FRANKFURT,
        "lineItem/LineItemDescription": "AWS Lambda - Total Requests - EU (Frankfurt)",
        "lineItem/Operation": "Invoke",
        "lineItem/ProductCode": "AWSLambda",
        "lineItem/ResourceId": f"arn:aws:lambda:eu-central-1:{SHOP}:function:checkout",
        "lineItem/UsageAmount": "1000000",
        "lineItem/UsageType": "EUC1-Request",
        "lineItem/UnblendedRate": "0.0000002000",
        "pricing/RateCode": "GU2ZS9HVP6QTQ7KE.JRTCKXETXF.6YS6EN2CT7",
        "pricing/publicOnDemandCost": "0.2000000000",
        "pricing/publicOnDemandRate": "0.0000002000",
        "pricing/unit": "Requests",
        "product/ProductName": "AWS Lambda",
        "product/productFamily": "Serverless",
        "product/sku": "GU2ZS9HVP6QTQ7KE",
    }
    transfer: LineItem = {
        **HOUR,
        "lineItem/LineItemDescription": "$0.00 per GB - data transfer in per month",
        "lineItem/Operation": "RunInstances",
        "lineItem/ProductCode": "AmazonEC2",
        "lineItem/ResourceId": "i-0123456789abcdef0",
        "lineItem/UsageAmount": "0.25",
        "lineItem/UsageType": "EUC1-DataTransfer-In-Bytes",
        "lineItem/UnblendedRate": "0.0000000000",
        "pricing/RateCode": "XCC5XCW2B3MBKYQB.JRTCKXETXF.6YS6EN2CT7",
        "pricing/publicOnDemandCost": "0.0000000000",
        "pricing/publicOnDemandRate": "0.0000000000",
        "pricing/unit": "GB",
        "product/ProductName": "Amazon Elastic Compute Cloud",
        "product/fromLocation": "External",
        "product/productFamily": "Data Transfer",
        "product/sku": "XCC5XCW2B3MBKYQB",
        "product/toLocation": "EU (Frankfurt)",
    }
    return [
        _item("Usage", "0.1150000000", HOUR, INSTANCE, lineItem__UnblendedRate="0.1150000000"),
        # at a negotiated price, in another account
        _item(
            "Usage",
            "0.1000000000",
            HOUR,
            INSTANCE,
            lineItem__UnblendedRate="0.1000000000",
            lineItem__UsageAccountId="033333333333",
            lineItem__ResourceId="i-0fedcba9876543210",
        ),
        _item(
            "Usage",
            "0.0400000000",
            HOUR,
            INSTANCE,
            lineItem__LineItemDescription="m5.large Linux/UNIX Spot Instance-hour",
            lineItem__Operation="RunInstances:SV001",
            lineItem__UnblendedRate="0.0400000000",
            lineItem__UsageType="EUC1-SpotUsage:m5.large",
        ),
        _item("Usage", "0.3062500000", storage),
        _item("Usage", "0.2000000000", requests),
        _item("Usage", "0.0000000000", transfer),
        # the share of a container in the first instance, whose own row holds the cost
        _item(
            "Usage",
            "0.0575000000",
            HOUR,
            INSTANCE,
            lineItem__Operation="EKSPod-EC2",
            lineItem__ResourceId=f"arn:aws:eks:eu-central-1:{SHOP}:pod/shop/web/0a1b2c",
            lineItem__UnblendedRate="0.1150000000",
            lineItem__UsageAmount="0.5",
        ),
        _item(
            "Usage",
            "3.0000000000",
            HOUR,
            MARKETPLACE,
            lineItem__LineItemDescription="Hosts monitored",
            lineItem__Operation="",
            lineItem__UnblendedRate="0.1000000000",
            lineItem__UsageAmount="30",
            lineItem__UsageType="EUC1-MP:Hosts",
            pricing__RateCode="PROD4EXAMPLE.OFFER1.RATE1",
            pricing__unit="Hosts",
            product__sku="PROD4EXAMPLE",
            **{name.replace("/", "__"): value for name, value in FRANKFURT.items()},
        ),
    ]


def _commitments() -> list[dict[str, str]]:
    return [
        _item(
            "DiscountedUsage",
            "0.0000000000",
            HOUR,
            INSTANCE,
            RESERVED,
            lineItem__LineItemDescription="Linux/UNIX, m5.large reserved instance applied",
            lineItem__UnblendedRate="0.0000000000",
            pricing__RateCode="JG3HZ2T6XTHTUDQ7.HU7G6KETJZ.6YS6EN2CT7",
            reservation__EffectiveCost="0.0720000000",
            reservation__AmortizedUpfrontCostForUsage="0.0360000000",
            reservation__RecurringFeeForUsage="0.0360000000",
        ),
        _item(
            "RIFee",
            "26.7840000000",
            MONTH,
            EC2,
            RESERVED,
            lineItem__LineItemDescription="USD 0.036 hourly fee per Linux/UNIX, m5.large instance",
            lineItem__Operation="RunInstances",
            lineItem__UnblendedRate="0.0360000000",
            lineItem__UsageAccountId=PAYER,
            lineItem__UsageAmount="744",
            lineItem__UsageType="EUC1-HeavyUsage:m5.large",
            pricing__RateCode="JG3HZ2T6XTHTUDQ7.HU7G6KETJZ.6YS6EN2CT7",
            pricing__unit="Hrs",
            product__productFamily="Compute Instance",
            product__sku="JG3HZ2T6XTHTUDQ7",
            reservation__NumberOfReservations="1",
            reservation__UnusedAmortizedUpfrontFeeForBillingPeriod="1.0800000000",
            reservation__UnusedQuantity="30",
            reservation__UnusedRecurringFee="1.0800000000",
        ),
        _item(
            "Fee",
            "315.3600000000",
            MONTH,
            EC2,
            RESERVED,
            bill__BillType="Purchase",
            lineItem__LineItemDescription="Sign up charge for subscription: 7654321, plan: 1yr",
            lineItem__Operation="RunInstances",
            lineItem__UnblendedRate="315.3600000000",
            lineItem__UsageAccountId=PAYER,
            lineItem__UsageAmount="1",
            lineItem__UsageType="EUC1-HeavyUsage:m5.large",
            pricing__RateCode="JG3HZ2T6XTHTUDQ7.HU7G6KETJZ.2TG2D8R56U",
            pricing__unit="Quantity",
            product__sku="JG3HZ2T6XTHTUDQ7",
        ),
        _item(
            "SavingsPlanCoveredUsage",
            "0.1150000000",
            HOUR,
            INSTANCE,
            PLANNED,
            lineItem__UnblendedRate="0.1150000000",
            savingsPlan__SavingsPlanEffectiveCost="0.0830000000",
            savingsPlan__SavingsPlanRate="0.0830000000",
        ),
        _item(
            "SavingsPlanNegation",
            "-0.1150000000",
            HOUR,
            EC2,
            PLANNED,
            lineItem__LineItemDescription="SavingsPlanNegation used by AccountId : 022222222222",
            lineItem__Operation="RunInstances",
            lineItem__UsageType="EUC1-BoxUsage:m5.large",
            lineItem__UnblendedRate="0.1150000000",
            lineItem__UsageAmount="-1",
        ),
        _item(
            "SavingsPlanRecurringFee",
            "0.0500000000",
            HOUR,
            PLAN_FEE,
            lineItem__UnblendedRate="0.0500000000",
            lineItem__UsageAmount="1",
            pricing__unit="Hrs",
            product__sku="ZZZSAVINGSPLAN01",
            savingsPlan__AmortizedUpfrontCommitmentForBillingPeriod="0.0500000000",
            savingsPlan__RecurringCommitmentForBillingPeriod="0.0500000000",
            savingsPlan__TotalCommitmentToDate="0.1000000000",
            savingsPlan__UsedCommitment="0.0830000000",
        ),
        _item(
            "SavingsPlanUpfrontFee",
            "438.0000000000",
            MONTH,
            PLAN_FEE,
            bill__BillType="Purchase",
            lineItem__UnblendedRate="438.0000000000",
            lineItem__UsageAmount="1",
            pricing__unit="Quantity",
            product__sku="ZZZSAVINGSPLAN01",
        ),
    ]


def _others() -> list[dict[str, str]]:
    return [
        _item(
            "Fee",
            "29.0000000000",
            MONTH,
            lineItem__LineItemDescription="AWS Support (Developer)",
            lineItem__Operation="",
            lineItem__ProductCode="AWSDeveloperSupport",
            lineItem__UnblendedRate="",
            lineItem__UsageAccountId=PAYER,
            lineItem__UsageAmount="29",
            lineItem__UsageType="Dollar",
            product__ProductName="AWS Support (Developer)",
            product__region="global",
        ),
        _item(
            "Fee",
            "1200.0000000000",
            MONTH,
            MARKETPLACE,
            bill__BillType="Purchase",
            lineItem__LineItemDescription="AWS Marketplace contract, 12 months",
            lineItem__Operation="",
            lineItem__UsageAccountId=PAYER,
            lineItem__UsageAmount="1",
            lineItem__UsageType="Global-SoftwareUsage-Contracts",
        ),
        _item(
            "FlatRateSubscription",
            "15.0000000000",
            MONTH,
            lineItem__LineItemDescription="Flat-rate plan, Pro",
            lineItem__Operation="",
            lineItem__ProductCode="AmazonCloudFront",
            lineItem__UsageAmount="1",
            lineItem__UsageType="Global-FlatRate-Pro",
            pricing__RateCode="FLATRATEEXAMPLE1.JRTCKXETXF.6YS6EN2CT7",
            pricing__publicOnDemandCost="15.0000000000",
            pricing__publicOnDemandRate="15.0000000000",
            pricing__unit="Subscriptions",
            product__ProductName="Amazon CloudFront",
            product__region="global",
            product__sku="FLATRATEEXAMPLE1",
        ),
        _item(
            "Tax",
            "5.7900000000",
            WHOLE_BILL,
            lineItem__LineItemDescription="Tax of type VAT",
            lineItem__TaxType="VAT",
            lineItem__UsageType="EUC1-BoxUsage:m5.large",
            pricing__currency="",
        ),
        _item(
            "Credit",
            "-10.0000000000",
            WHOLE_BILL,
            lineItem__LineItemDescription="AWS Activate credit",
            lineItem__UsageType="EUC1-BoxUsage:m5.large",
        ),
        _item(
            "Refund",
            "-2.5000000000",
            WHOLE_BILL,
            bill__BillType="Refund",
            lineItem__LineItemDescription="Refund for September",
            lineItem__UsageType="EUC1-BoxUsage:m5.large",
        ),
    ]


def _discounts() -> list[dict[str, str]]:
    """Discounts that AWS lists as rows of their own."""
    return [
        _item(
            charge_type,
            "-0.5000000000",
            WHOLE_BILL,
            lineItem__LineItemDescription=f"{charge_type} for Amazon Elastic Compute Cloud",
            lineItem__UsageType="EUC1-BoxUsage:m5.large",
        )
        for charge_type in (
            "BundledDiscount",
            "Discount",
            "EdpDiscount",
            "PrivateRateDiscount",
            "RiVolumeDiscount",
            "SppDiscount",
        )
    ]
