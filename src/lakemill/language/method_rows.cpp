#include <array>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/method_context.h"

// Methods that choose and order rows: unique, sort, head, sample, with_row_index, …

namespace lakemill::language {
namespace {

std::string from(const MethodContext& context) {
  return " FROM " + context.input.relation;
}

std::string partition(const std::vector<std::string>& names) {
  return names.empty() ? "" : "PARTITION BY " + quoted_list(names);
}

// "OVER (PARTITION BY … ORDER BY …)".
std::string over(const std::vector<std::string>& partition_names,
                 const std::vector<std::string>& order) {
  std::vector<std::string> parts;
  if (!partition_names.empty()) parts.push_back(partition(partition_names));
  if (!order.empty()) parts.push_back("ORDER BY " + join(order, ", "));
  return " OVER (" + join(parts, " ") + ")";
}

Result<std::vector<std::string>> reversed_order(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> names, context.columns("order_by"));
  std::vector<std::string> terms;
  for (const std::string& name : names) {
    terms.push_back(quote_identifier(name) + " DESC NULLS LAST");
  }
  return terms;
}

Result<std::string> unique(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> subset, context.columns("subset"));
  LAKEMILL_TRY(std::string keep, context.text("keep", "any"));
  LAKEMILL_TRY(std::vector<std::string> order, context.order_terms("order_by"));
  const std::vector<std::string> all = column_names(context.input.schema);
  if (subset.empty()) subset = all;
  if (keep == "none") {
    return "SELECT *" + from(context) + " QUALIFY count(*)" + over(subset, {}) + " = 1";
  }
  if (keep == "first" || keep == "last") {
    if (order.empty()) {
      return context.error(context.find("keep"),
                           "keep '" + keep +
                               "' depends on the order of rows, which a "
                               "table does not have; give order_by");
    }
    if (keep == "last") {
      LAKEMILL_TRY(order, reversed_order(context));
    }
  } else if (keep != "any") {
    return context.error(context.find("keep"),
                         "'keep' is any, first, last or none, not '" + keep + "'");
  }
  // The other columns settle what the order leaves open, so that the same rows give the
  // same answer.
  std::vector<std::string> others;
  for (const std::string& name : all) {
    if (!contains_name(subset, name)) others.push_back(name);
  }
  if (others.empty()) return "SELECT DISTINCT *" + from(context);
  for (const std::string& name : others) {
    order.push_back(quote_identifier(name) + " ASC NULLS LAST");
  }
  return "SELECT *" + from(context) + " QUALIFY row_number()" + over(subset, order) +
         " = 1";
}

Result<std::string> drop_nulls(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> subset, context.columns("subset"));
  if (subset.empty()) subset = column_names(context.input.schema);
  std::vector<std::string> conditions;
  for (const std::string& name : subset) {
    conditions.push_back(quote_identifier(name) + " IS NOT NULL");
  }
  return "SELECT *" + from(context) + " WHERE " + join(conditions, " AND ");
}

Result<std::string> sort(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> by, context.columns("by"));
  for (const Tree* more : context.arguments.many) {
    LAKEMILL_TRY(std::vector<std::string> names,
                 context.columns_of(context.input, *more));
    by.insert(by.end(), names.begin(), names.end());
  }
  if (by.empty()) return context.error(nullptr, "a column to sort by is due");
  LAKEMILL_TRY(std::vector<bool> descending, context.flags("descending", by.size()));
  LAKEMILL_TRY(std::vector<bool> nulls_last, context.flags("nulls_last", by.size()));
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < by.size(); ++i) {
    terms.push_back(quote_identifier(by[i]) + (descending[i] ? " DESC" : " ASC") +
                    (nulls_last[i] ? " NULLS LAST" : " NULLS FIRST"));
  }
  return "SELECT *" + from(context) + " ORDER BY " + join(terms, ", ");
}

Result<std::int64_t> count_argument(const MethodContext& context,
                                    std::int64_t otherwise) {
  LAKEMILL_TRY(std::int64_t n, context.integer("n", otherwise));
  if (n < 0) return context.error(context.find("n"), "'n' is 0 or more");
  return n;
}

Result<std::string> head(const MethodContext& context) {
  LAKEMILL_TRY(std::int64_t n, count_argument(context, 5));
  return "SELECT *" + from(context) + " LIMIT " + std::to_string(n);
}

Result<std::string> tail(const MethodContext& context) {
  LAKEMILL_TRY(std::int64_t n, count_argument(context, 5));
  const std::string count = std::to_string(n);
  return "SELECT *" + from(context) + " LIMIT " + count +
         " OFFSET (SELECT greatest(count(*) - " + count + ", 0)" + from(context) + ")";
}

Result<std::string> sample(const MethodContext& context) {
  LAKEMILL_TRY(bool replacement, context.boolean("with_replacement", false));
  if (replacement) {
    return context.error(context.find("with_replacement"),
                         "sampling with replacement is not known here");
  }
  LAKEMILL_TRY(std::int64_t seed, context.integer("seed", 0));
  const Tree* fraction = context.find("fraction");
  std::string limit;
  if (fraction != nullptr) {
    const bool number =
        fraction->kind == TreeKind::number || fraction->kind == TreeKind::integer;
    if (!number || fraction->number < 0 || fraction->number > 1 ||
        context.find("n") != nullptr) {
      return context.error(fraction, "'n', or a 'fraction' between 0 and 1, is due");
    }
    limit = "(SELECT CAST(floor(count(*) * " + literal_sql(fraction->number) +
            ") AS BIGINT)" + from(context) + ")";
  } else {
    LAKEMILL_TRY(std::int64_t n, count_argument(context, 1));
    limit = std::to_string(n);
  }
  return "SELECT *" + from(context) + " ORDER BY hash(" +
         quoted_list(column_names(context.input.schema)) + ", " + literal_sql(seed) +
         ") LIMIT " + limit;
}

Error needs_order(const MethodContext& context) {
  return context.error(
      nullptr,
      "rows have no order of their own; give order_by: the columns that "
      "say it");
}

Result<std::string> with_row_index(const MethodContext& context) {
  LAKEMILL_TRY(std::string name, context.text("name", "index"));
  LAKEMILL_TRY(std::vector<std::string> order, context.order_terms("order_by"));
  if (order.empty()) return needs_order(context);
  if (context.input.schema.find(name) != nullptr) {
    return context.error(context.find("name"),
                         "there is a column '" + name + "' already");
  }
  return "SELECT (row_number()" + over({}, order) + " - 1) AS " +
         quote_identifier(name) + ", *" + from(context);
}

Result<std::string> laktory_row_index(const MethodContext& context) {
  LAKEMILL_TRY(std::string name, context.text("name", "index"));
  LAKEMILL_TRY(std::vector<std::string> groups, context.columns("partition_by"));
  LAKEMILL_TRY(std::vector<std::string> order, context.order_terms("order_by"));
  if (order.empty()) return needs_order(context);
  const std::string index =
      "(row_number()" + over(groups, order) + " - 1) AS " + quote_identifier(name);
  std::vector<std::string> parts;
  bool replaced = false;
  for (const std::string& column : column_names(context.input.schema)) {
    const bool same = equals_ignoring_case(column, name);
    parts.push_back(same ? index : quote_identifier(column));
    replaced = replaced || same;
  }
  if (!replaced) parts.push_back(index);
  return "SELECT " + join(parts, ", ") + from(context);
}

Result<std::string> window_filter(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> groups, context.columns("partition_by"));
  LAKEMILL_TRY(std::vector<std::string> order, context.order_terms("order_by"));
  LAKEMILL_TRY(std::int64_t rows, context.integer("rows_to_keep", 1));
  LAKEMILL_TRY(bool drop_index, context.boolean("drop_row_index", true));
  LAKEMILL_TRY(std::string name, context.text("row_index_name", "_row_index"));
  if (order.empty()) return needs_order(context);
  if (rows < 1) {
    return context.error(context.find("rows_to_keep"), "'rows_to_keep' is at least 1");
  }
  const std::string number = "row_number()" + over(groups, order);
  const std::string keep = " QUALIFY " + number + " <= " + std::to_string(rows);
  if (drop_index) return "SELECT *" + from(context) + keep;
  if (context.input.schema.find(name) != nullptr) {
    return context.error(context.find("row_index_name"),
                         "there is a column '" + name + "' already");
  }
  return "SELECT *, (" + number + " - 1) AS " + quote_identifier(name) + from(context) +
         keep;
}

// A list without items, and null, is one row with null.
Result<std::string> explode(const MethodContext& context) {
  std::vector<std::string> chosen;
  for (const Tree* argument : context.arguments.many) {
    LAKEMILL_TRY(std::vector<std::string> names,
                 context.columns_of(context.input, *argument));
    chosen.insert(chosen.end(), names.begin(), names.end());
  }
  if (chosen.empty()) return context.error(nullptr, "a column of lists is due");
  std::vector<std::string> parts;
  for (const data::Field& field : context.input.schema.fields) {
    const std::string name = quote_identifier(field.name);
    if (!contains_name(chosen, field.name)) {
      parts.push_back(name);
      continue;
    }
    if (field.type.kind != data::TypeKind::array) {
      return context.error(nullptr, "'" + field.name + "' is " +
                                        data::to_text(field.type) + ", not a list");
    }
    std::string list =
        "CASE WHEN len(" + name + ") > 0 THEN " + name + " ELSE [NULL] END";
    if (!equals_ignoring_case(field.name, chosen.front())) {
      const std::string first = quote_identifier(chosen.front());
      list = "CASE WHEN greatest(coalesce(len(" + name +
             "), 0), 1) <> greatest(coalesce(" + "len(" + first +
             "), 0), 1) THEN error('explode: lists of different " +
             "lengths in one row') WHEN len(" + name + ") > 0 THEN " + name +
             " ELSE [NULL] END";
    }
    parts.push_back("unnest(" + list + ") AS " + name);
  }
  return "SELECT " + join(parts, ", ") + from(context);
}

constexpr std::array kEntries = {
    MethodEntry{"unique",
                "subset=None, *, keep='any', maintain_order=False, order_by=None",
                "One row for each value; keep: any, first, last, none.", unique},
    MethodEntry{"drop_duplicates", "subset=None, *, keep='any', order_by=None",
                "The same as unique.", unique},
    MethodEntry{"drop_nulls", "subset=None", "Without rows that have a null.",
                drop_nulls},
    MethodEntry{"sort", "by, *more_by, descending=False, nulls_last=False",
                "Sorted; nulls first.", sort},
    MethodEntry{"limit", "n", "The first rows.", head},
    MethodEntry{"head", "n=5", "The first rows.", head},
    MethodEntry{"tail", "n=5", "The last rows.", tail},
    MethodEntry{"sample", "n=None, *, fraction=None, with_replacement=False, seed=0",
                "Some rows; the same for the same rows and seed.", sample},
    MethodEntry{"explode", "*columns", "A row for each item of a list.", explode},
    MethodEntry{"with_row_index", "name='index', *, order_by=None",
                "Rows numbered from 0 in an order, as the first column.",
                with_row_index},
    MethodEntry{
        "laktory.with_row_index", "name='index', order_by=None, partition_by=None",
        "Rows numbered from 0 in an order within each partition.", laktory_row_index},
    MethodEntry{"laktory.window_filter",
                "partition_by, order_by=None, drop_row_index=True, "
                "row_index_name='_row_index', rows_to_keep=1",
                "The first rows of each partition in an order.", window_filter},
};

}  // namespace

std::span<const MethodEntry> row_methods() { return kEntries; }

}  // namespace lakemill::language
