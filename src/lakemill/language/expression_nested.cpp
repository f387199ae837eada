#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/unit_conversion.h"

// Methods of .struct, .list, .cat, .name and .laktory.

namespace lakemill::language {
namespace {

using data::TypeKind;

const data::Type kDouble = data::make_type(TypeKind::float64);
const data::Type kInteger = data::make_type(TypeKind::int64);

Result<Value> field(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string name, call.text("name", ""));
  const Position place = call.arguments.find("name")->position;
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::optional<data::Type> type;
    if (operand.type && !operand.is(TypeKind::structure) &&
        !operand.is(TypeKind::variant)) {
      return call.error("'" + operand.name + "' is " + data::to_text(*operand.type) +
                        ", not a struct");
    }
    if (operand.is(TypeKind::structure)) {
      std::vector<std::string> known;
      for (const data::Field& child : operand.type->children) {
        known.push_back(child.name);
        if (equals_ignoring_case(child.name, name)) type = child.type;
      }
      if (!type) {
        std::string message =
            "the struct '" + operand.name + "' has no field '" + name + "'";
        auto meant = nearest(name, known);
        message += meant ? "; did you mean '" + *meant + "'?"
                         : "; there are: " + join(known, ", ");
        return error_at(place, message);
      }
    }
    Operand result = with_sql(
        operand, "struct_extract(" + operand.sql + ", " + quote_literal(name) + ")",
        type);
    if (!result.aliased) result.name = name;
    return result;
  });
}

std::optional<data::Type> item_type(const Operand& operand) {
  if (operand.is(TypeKind::array)) return operand.type->children[0].type;
  return std::nullopt;
}

using Change = std::function<std::string(const std::string&)>;

Status need_list(const Call& call, const Operand& operand) {
  if (operand.type && !operand.is(TypeKind::array)) {
    return call.error("'" + operand.name + "' is " + data::to_text(*operand.type) +
                      ", not a list");
  }
  return {};
}

Result<Value> each_list(const Call& call, const std::optional<data::Type>& type,
                        const Change& change) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_list(call, operand));
    return with_sql(operand, change(operand.sql), type);
  });
}

Result<Value> list_len(Compiler&, const Call& call) {
  return each_list(call, kInteger,
                   [](const std::string& x) { return "len(" + x + ")"; });
}

Result<Value> list_get(Compiler&, const Call& call) {
  std::int64_t index = 0;
  if (call.name == "get") {
    LAKEMILL_TRY(index, call.integer("index", 0));
  } else if (call.name == "last") {
    index = -1;
  }
  const std::string place = std::to_string(index < 0 ? index : index + 1);
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_list(call, operand));
    return with_sql(operand, "list_extract(" + operand.sql + ", " + place + ")",
                    item_type(operand));
  });
}

Result<Value> list_contains(Compiler& compiler, const Call& call) {
  const SyntaxNode& node = *call.arguments.find("item");
  if (node.kind == NodeKind::none) return call.error("null is in no list");
  LAKEMILL_TRY(Operand item, compiler.operand(node, StringIs::literal));
  return each_list(call, data::make_type(TypeKind::boolean), [&](const std::string& x) {
    return "list_contains(" + x + ", " + item.sql + ")";
  });
}

// Sorted, so that the answer does not depend on the engine; a null comes last.
Result<Value> list_unique(Compiler&, const Call& call) {
  LAKEMILL_TRY(bool ordered, call.boolean("maintain_order", false));
  if (ordered) return call.error("maintain_order=True is not known here");
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_list(call, operand));
    const std::string& x = operand.sql;
    const std::string distinct = "list_sort(list_distinct(" + x + "))";
    return with_sql(operand,
                    "(CASE WHEN list_position(" + x +
                        ", NULL) IS NOT NULL THEN "
                        "list_append(" +
                        distinct + ", NULL) ELSE " + distinct + " END)",
                    operand.type);
  });
}

Result<Value> list_extreme(Compiler&, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_list(call, operand));
    return with_sql(operand, "list_" + std::string(call.name) + "(" + operand.sql + ")",
                    item_type(operand));
  });
}

Result<Value> list_mean(Compiler&, const Call& call) {
  const std::string name = call.name == "mean" ? "list_avg(" : "list_median(";
  return each_list(call, kDouble, [&](const std::string& x) { return name + x + ")"; });
}

Result<Value> list_sum(Compiler&, const Call& call) {
  return each_list(call, std::nullopt, [](const std::string& x) {
    return "(CASE WHEN " + x + " IS NOT NULL THEN coalesce(list_sum(" + x +
           "), 0) END)";
  });
}

Result<Value> list_sort(Compiler&, const Call& call) {
  LAKEMILL_TRY(bool descending, call.boolean("descending", false));
  LAKEMILL_TRY(bool nulls_last, call.boolean("nulls_last", false));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_list(call, operand));
    return with_sql(operand,
                    "list_sort(" + operand.sql +
                        (descending ? ", 'DESC', " : ", 'ASC', ") +
                        (nulls_last ? "'NULLS LAST')" : "'NULLS FIRST')"),
                    operand.type);
  });
}

Result<Value> list_join(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string separator, call.text("separator", ""));
  return each_list(call, data::make_type(TypeKind::string), [&](const std::string& x) {
    return "array_to_string(" + x + ", " + quote_literal(separator) + ")";
  });
}

Result<Value> get_categories(Compiler&, const Call& call) {
  return call.error(
      "get_categories gives a column of another length, and a table has no "
      "categories; use select and unique");
}

Result<Value> rename_columns(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string prefix, call.text("prefix", ""));
  LAKEMILL_TRY(std::string suffix, call.text("suffix", ""));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    if (call.name == "to_lowercase") operand.name = to_lower(operand.name);
    if (call.name == "to_uppercase") operand.name = to_upper(operand.name);
    operand.name = prefix + operand.name + suffix;
    operand.aliased = true;
    return operand;
  });
}

Result<Value> roundp(Compiler& compiler, const Call& call) {
  std::string precision = "1e0";
  std::optional<Operand> given;
  if (const SyntaxNode* node = call.find("p")) {
    LAKEMILL_TRY(given, compiler.operand(*node, StringIs::column));
    precision = given->sql;
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    Operand result = operand;
    if (given) absorb(result, *given);
    return with_sql(
        result,
        "(round_even(" + operand.sql + " / " + precision + ", 0) * " + precision + ")",
        kDouble);
  });
}

Result<Value> convert(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string from, call.text("input_unit", ""));
  LAKEMILL_TRY(std::string to, call.text("output_unit", ""));
  auto conversion = convert_units(from, to);
  if (!conversion) return call.error(conversion.error().message());
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    std::string sql = "(" + operand.sql + " * " + literal_sql(conversion->factor);
    if (conversion->offset != 0) sql += " + " + literal_sql(conversion->offset);
    return with_sql(operand, sql + ")", kDouble);
  });
}

Result<Value> string_split(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string pattern, call.text("pattern", ""));
  LAKEMILL_TRY(std::int64_t key, call.integer("key", 0));
  const std::string place = std::to_string(key < 0 ? key : key + 1);
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return with_sql(operand,
                    "list_extract(string_split(" + operand.sql + ", " +
                        quote_literal(pattern) + "), " + place + ")",
                    data::make_type(TypeKind::string));
  });
}

constexpr std::array kEntries = {
    FunctionEntry{"struct", "field", "name", "A field of a struct.", field},
    FunctionEntry{"list", "len", "", "How many items, nulls too.", list_len},
    FunctionEntry{"list", "get", "index",
                  "The item at a place, from 0; null beyond the end.", list_get},
    FunctionEntry{"list", "first", "", "The first item.", list_get},
    FunctionEntry{"list", "last", "", "The last item.", list_get},
    FunctionEntry{"list", "contains", "item", "True if the item is in it.",
                  list_contains},
    FunctionEntry{"list", "unique", "*, maintain_order=False",
                  "Each item once, sorted, null last.", list_unique},
    FunctionEntry{"list", "min", "", "The least item.", list_extreme},
    FunctionEntry{"list", "max", "", "The greatest item.", list_extreme},
    FunctionEntry{"list", "mean", "", "The mean of the items, without nulls.",
                  list_mean},
    FunctionEntry{"list", "median", "", "The median of the items.", list_mean},
    FunctionEntry{"list", "sum", "", "The sum of the items; 0 of nothing.", list_sum},
    FunctionEntry{"list", "sort", "*, descending=False, nulls_last=False",
                  "Sorted, nulls first.", list_sort},
    FunctionEntry{"list", "join", "separator", "The items as one text, without nulls.",
                  list_join},
    FunctionEntry{"cat", "get_categories", "", "Refused: gives another number of rows.",
                  get_categories},
    FunctionEntry{"name", "keep", "", "Keeps the name.", rename_columns},
    FunctionEntry{"name", "prefix", "prefix", "Puts a text before the names.",
                  rename_columns},
    FunctionEntry{"name", "suffix", "suffix", "Puts a text after the names.",
                  rename_columns},
    FunctionEntry{"name", "to_lowercase", "", "Names in lower case.", rename_columns},
    FunctionEntry{"name", "to_uppercase", "", "Names in upper case.", rename_columns},
    FunctionEntry{"laktory", "roundp", "p=1.0", "Rounded to a multiple of p.", roundp},
    FunctionEntry{"laktory", "convert_units", "input_unit, output_unit",
                  "From one unit to another: \"m\" to \"ft\", \"degC\" to \"K\".",
                  convert},
    FunctionEntry{"laktory", "string_split", "pattern, key",
                  "The part at a place of a text that is split.", string_split},
};

}  // namespace

std::span<const FunctionEntry> nested_functions() { return kEntries; }

}  // namespace lakemill::language
