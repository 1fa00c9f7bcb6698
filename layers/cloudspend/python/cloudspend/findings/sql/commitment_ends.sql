-- When each savings plan and reservation ends that the newest bills speak of, and what it covers a
-- day. Only bills of the account's own line items (CUR) say it.
SELECT
    coalesce(nullif(savings_plan_savings_plan_a_r_n, ''), reservation_reservation_a_r_n)
        AS commitment,
    max(coalesce(nullif(savings_plan_end_time, ''), reservation_end_time)) AS ends
FROM billing_detail
WHERE account_id = :account_id
    AND billing_period >= :first_period
    AND coalesce(
        nullif(savings_plan_savings_plan_a_r_n, ''), reservation_reservation_a_r_n, ''
    ) <> ''
    AND coalesce(nullif(savings_plan_end_time, ''), reservation_end_time, '') <> ''
GROUP BY 1
ORDER BY 1
