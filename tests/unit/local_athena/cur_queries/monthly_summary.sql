-- In the shape of a dashboard's summary: functions in quotes, groups by number, product attributes
-- by subscript, tags as one JSON text, costs amortized by charge type.
SELECT
    split_part("billing_period", '-', 1) "year",
    split_part("billing_period", '-', 2) "month",
    json_format(CAST(map_from_entries(ARRAY[
        ('tag_team', element_at(resource_tags, 'user_team')),
        ('tag_name', element_at(resource_tags, 'user_name'))
    ]) AS json)) "tags_json",
    "bill_billing_period_start_date" "period_start",
    CASE
        WHEN "date_trunc"('month', "line_item_usage_start_date")
            >= ("date_trunc"('month', current_timestamp) - INTERVAL '1200' MONTH)
            THEN "date_trunc"('day', "line_item_usage_start_date")
        ELSE "date_trunc"('month', "line_item_usage_start_date")
    END "usage_date",
    "bill_payer_account_id" "payer",
    "line_item_usage_account_id" "linked_account",
    "line_item_line_item_type" "charge_type",
    CASE
        WHEN "savings_plan_savings_plan_a_r_n" <> '' THEN 'SavingsPlan'
        WHEN "reservation_reservation_a_r_n" <> '' THEN 'Reserved'
        WHEN "line_item_usage_type" LIKE '%Spot%' THEN 'Spot'
        ELSE 'OnDemand'
    END "purchase_option",
    CASE
        WHEN "bill_billing_entity" = 'AWS Marketplace'
            AND "line_item_line_item_type" NOT LIKE '%Discount%' THEN product['product_name']
        WHEN "product_servicecode" = '' THEN "line_item_product_code"
        ELSE "product_servicecode"
    END "service",
    product['region'] "region",
    product['operating_system'] "platform",
    product['database_engine'] "engine",
    "pricing_unit" "unit",
    approx_distinct("line_item_resource_id") "resources",
    sum(CASE
        WHEN "line_item_line_item_type" IN ('SavingsPlanCoveredUsage', 'DiscountedUsage', 'Usage')
            THEN "line_item_usage_amount"
        ELSE 0
    END) "usage_quantity",
    sum("line_item_unblended_cost") "unblended_cost",
    sum(CASE
        WHEN "line_item_line_item_type" = 'SavingsPlanCoveredUsage'
            THEN "savings_plan_savings_plan_effective_cost"
        WHEN "line_item_line_item_type" = 'SavingsPlanRecurringFee'
            THEN "savings_plan_total_commitment_to_date" - "savings_plan_used_commitment"
        WHEN "line_item_line_item_type" IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') THEN 0
        WHEN "line_item_line_item_type" = 'DiscountedUsage' THEN "reservation_effective_cost"
        WHEN "line_item_line_item_type" = 'RIFee'
            THEN "reservation_unused_amortized_upfront_fee_for_billing_period"
                + "reservation_unused_recurring_fee"
        WHEN "line_item_line_item_type" = 'Fee' AND "reservation_reservation_a_r_n" <> '' THEN 0
        WHEN "line_item_line_item_type" = 'Refund'
            AND "line_item_product_code" = 'ComputeSavingsPlans'
            AND "line_item_line_item_description" LIKE 'Refund for one-time fee%' THEN 0
        ELSE "line_item_unblended_cost"
    END) "amortized_cost",
    sum(CASE
        WHEN "line_item_line_item_type" = 'SavingsPlanRecurringFee'
            THEN -"savings_plan_amortized_upfront_commitment_for_billing_period"
        WHEN "line_item_line_item_type" = 'RIFee'
            THEN -"reservation_amortized_upfront_fee_for_billing_period"
        ELSE 0
    END) "true_up",
    sum(CASE
        WHEN "line_item_line_item_type" <> 'SavingsPlanNegation' THEN "pricing_public_on_demand_cost"
        ELSE 0
    END) "public_cost"
FROM "lake"."cost_and_usage_report"
WHERE "bill_billing_period_start_date"
        >= ("date_trunc"('month', current_timestamp) - INTERVAL '1200' MONTH)
    AND CAST("concat"("billing_period", '-01') AS date)
        >= ("date_trunc"('month', current_date) - INTERVAL '1200' MONTH)
    AND coalesce("line_item_operation", '') NOT IN ('EKSPod-EC2', 'ECSTask-EC2')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
