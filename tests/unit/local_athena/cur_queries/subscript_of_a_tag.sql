-- A map's subscript on rows that lack the key, which Trino refuses.
SELECT sum(line_item_unblended_cost) AS cost
FROM lake.billing_detail
WHERE resource_tags['user_nobody_has_it'] = 'x'
