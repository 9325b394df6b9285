WITH t AS (
  SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = '{schema}' AND c.relkind = 'r' AND c.relname <> 'consolidation_history'),
lines AS (
  SELECT t.relname AS tab, 1 AS part, row_number() OVER (ORDER BY a.attnum) AS n,
    concat_ws(' | ', a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull THEN 'not null' END,
      CASE WHEN a.attgenerated = 's' THEN 'generated ' || pg_get_expr(d.adbin, d.adrelid)
           WHEN d.oid IS NOT NULL THEN 'default ' || pg_get_expr(d.adbin, d.adrelid) END) AS line
  FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  UNION ALL
  SELECT t.relname, 2, row_number() OVER (ORDER BY k.conname COLLATE "C"),
    k.conname || ' | ' || pg_get_constraintdef(k.oid)
  FROM t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype <> 'n'
  UNION ALL
  SELECT t.relname, 3, row_number() OVER (ORDER BY c.relname COLLATE "C"),
    pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' INVALID' END
  FROM t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid)
SELECT tab || ' | ' || line FROM lines ORDER BY tab COLLATE "C", part, n
