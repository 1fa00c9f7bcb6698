-- In the shape of a mapping of commitments: fees next to the usage that they cover, ends of terms
-- read from text.
SELECT fee.period, fee.arn, fee.ends, fee.payment, coalesce(used.covered, 0) AS covered
FROM (
    SELECT DISTINCT
        bill_billing_period_start_date AS period,
        CASE
            WHEN savings_plan_savings_plan_a_r_n <> '' THEN savings_plan_savings_plan_a_r_n
            WHEN reservation_reservation_a_r_n <> '' THEN reservation_reservation_a_r_n
            ELSE ''
        END AS arn,
        CASE
            WHEN savings_plan_savings_plan_a_r_n <> ''
                THEN CAST(from_iso8601_timestamp(savings_plan_end_time) AS date)
            WHEN reservation_reservation_a_r_n <> '' AND reservation_end_time <> ''
                THEN CAST(from_iso8601_timestamp(reservation_end_time) AS date)
        END AS ends,
        CASE
            WHEN savings_plan_savings_plan_a_r_n <> '' THEN savings_plan_payment_option
            ELSE pricing_purchase_option
        END AS payment
    FROM lake.cost_and_usage_report
    WHERE line_item_line_item_type IN ('RIFee', 'SavingsPlanRecurringFee')
) fee
LEFT JOIN (
    SELECT
        coalesce(
            nullif(savings_plan_savings_plan_a_r_n, ''), nullif(reservation_reservation_a_r_n, '')
        ) AS arn,
        count(*) AS covered
    FROM lake.cost_and_usage_report
    WHERE line_item_line_item_type IN ('DiscountedUsage', 'SavingsPlanCoveredUsage')
    GROUP BY 1
) used ON fee.arn = used.arn
ORDER BY fee.arn
