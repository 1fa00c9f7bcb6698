-- In the shape of a scan for tags: a map unfolded into keys and values.
SELECT key, COUNT(DISTINCT value) AS unique_values
FROM (
    SELECT resource_tags
    FROM "lake"."billing_detail"
    WHERE billing_period >= DATE_FORMAT(DATE_ADD('day', -36500, CURRENT_DATE), '%Y-%m')
        AND line_item_usage_start_date > DATE_ADD('day', -36500, CURRENT_DATE)
        AND cardinality(resource_tags) > 0
    LIMIT 500000
) t
CROSS JOIN UNNEST(resource_tags) AS t(key, value)
GROUP BY key
ORDER BY key
