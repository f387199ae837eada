#include <array>
#include <cctype>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/expression_text.h"

// Methods of .str: text. Characters are code points; patterns are RE2's, which are
// those of Rust's regex crate but for rare classes.

namespace lakemill::language {
namespace {

using data::TypeKind;

const data::Type kBoolean = data::make_type(TypeKind::boolean);
const data::Type kString = data::make_type(TypeKind::string);
const data::Type kInteger = data::make_type(TypeKind::int64);

using Change = std::function<std::string(const std::string&)>;

Result<Value> each(const Call& call, const data::Type& type, const Change& change) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return with_sql(operand, change(operand.sql), type);
  });
}

Result<Value> simple(Compiler&, const Call& call) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {
      {{"to_lowercase", "lower"},
       {"to_uppercase", "upper"},
       {"len_chars", "length"},
       {"len_bytes", "strlen"},
       {"reverse", "reverse"}}};
  std::string name;
  for (const auto& [method, function] : kNames) {
    if (method == call.name) name = function;
  }
  const bool counts = call.name == "len_chars" || call.name == "len_bytes";
  return each(call, counts ? kInteger : kString,
              [&](const std::string& x) { return name + "(" + x + ")"; });
}

// The argument as text of SQL: a constant or another column.
struct TextArgument {
  Operand operand;
  std::optional<std::string> constant;
};

Result<TextArgument> text_argument(Compiler& compiler, const Call& call,
                                   std::string_view name) {
  const SyntaxNode& node = *call.arguments.find(name);
  TextArgument argument;
  LAKEMILL_TRY(argument.operand, compiler.operand(node, StringIs::literal));
  if (node.kind == NodeKind::string) argument.constant = node.text;
  return argument;
}

Result<Value> test(const Call& call, const TextArgument& argument,
                   std::string_view function) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    Operand result = operand;
    absorb(result, argument.operand);
    return with_sql(
        result,
        std::string(function) + "(" + operand.sql + ", " + argument.operand.sql + ")",
        kBoolean);
  });
}

Result<Value> contains(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(TextArgument pattern, text_argument(compiler, call, "pattern"));
  LAKEMILL_TRY(bool literal, call.boolean("literal", call.name == "contains_literal"));
  return test(call, pattern, literal ? "contains" : "regexp_matches");
}

Result<Value> starts_with(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(TextArgument prefix, text_argument(compiler, call, "prefix"));
  return test(call, prefix, "starts_with");
}

Result<Value> ends_with(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(TextArgument suffix, text_argument(compiler, call, "suffix"));
  return test(call, suffix, "suffix");
}

Result<Value> replace(Compiler& compiler, const Call& call) {
  const bool all = call.name == "replace_all";
  LAKEMILL_TRY(TextArgument pattern, text_argument(compiler, call, "pattern"));
  LAKEMILL_TRY(TextArgument value, text_argument(compiler, call, "value"));
  LAKEMILL_TRY(bool literal, call.boolean("literal", false));
  if (!all) {
    LAKEMILL_TRY(std::int64_t n, call.integer("n", 1));
    if (n != 1) return call.error("replace changes the first place; use replace_all");
  }
  std::string with = value.operand.sql;
  std::string what = pattern.operand.sql;
  std::string function = "regexp_replace";
  std::string options = all ? ", 'g'" : "";
  if (literal && all) {
    function = "replace";
    options = "";
  } else if (literal) {
    if (!pattern.constant || !value.constant) {
      return call.error("replace(literal=True) takes constants; use replace_all");
    }
    what = quote_literal(escape_pattern(*pattern.constant));
    with = quote_literal(escape_replacement(*value.constant));
  } else {
    if (!value.constant) {
      return call.error(
          "the new text of a pattern is a constant, or give literal=True");
    }
    auto converted = convert_replacement(*value.constant);
    if (!converted) {
      return error_at(call.arguments.find("value")->position,
                      converted.error().message());
    }
    with = quote_literal(*converted);
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    Operand result = operand;
    absorb(result, pattern.operand);
    absorb(result, value.operand);
    return with_sql(
        result,
        function + "(" + operand.sql + ", " + what + ", " + with + options + ")",
        kString);
  });
}

Result<Value> strip(Compiler&, const Call& call) {
  std::string function = "trim";
  if (call.name == "strip_chars_start") function = "ltrim";
  if (call.name == "strip_chars_end") function = "rtrim";
  LAKEMILL_TRY(std::string characters, call.text("characters", ""));
  const std::string set = call.find("characters") == nullptr
                              ? "E' \\t\\n\\r\\f\\x0b'"
                              : quote_literal(characters);
  return each(call, kString, [&](const std::string& x) {
    return function + "(" + x + ", " + set + ")";
  });
}

Result<Value> strip_affix(Compiler&, const Call& call) {
  const bool prefix = call.name == "strip_prefix";
  LAKEMILL_TRY(std::string text, call.text("text", ""));
  const std::string quoted = quote_literal(text);
  return each(call, kString, [&](const std::string& x) {
    if (prefix) {
      return "(CASE WHEN starts_with(" + x + ", " + quoted + ") THEN substr(" + x +
             ", length(" + quoted + ") + 1) ELSE " + x + " END)";
    }
    return "(CASE WHEN suffix(" + x + ", " + quoted + ") THEN left(" + x + ", length(" +
           x + ") - length(" + quoted + ")) ELSE " + x + " END)";
  });
}

Result<Value> slice(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::int64_t offset, call.integer("offset", 0));
  LAKEMILL_TRY(std::int64_t length, call.integer("length", -1));
  const bool limited = call.find("length") != nullptr;
  if (limited && length < 0) return call.error("length is 0 or more");
  const std::string count = std::to_string(length);
  return each(call, kString, [&](const std::string& x) {
    if (offset >= 0) {
      return "substr(" + x + ", " + std::to_string(offset + 1) +
             (limited ? ", " + count : "") + ")";
    }
    const std::string start = "(length(" + x + ") - " + std::to_string(-offset) + ")";
    return "substr(" + x + ", greatest(" + start + ", 0) + 1" +
           (limited ? ", greatest(" + count + " + least(" + start + ", 0), 0)" : "") +
           ")";
  });
}

Result<Value> head_tail(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::int64_t n, call.integer("n", 5));
  if (n < 0) return call.error("n is 0 or more; use .str.slice(...)");
  const std::string function = call.name == "head" ? "left(" : "right(";
  return each(call, kString, [&](const std::string& x) {
    return function + x + ", " + std::to_string(n) + ")";
  });
}

Result<Value> split_text(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string by, call.text("by", ""));
  return each(call, data::make_array(kString, true), [&](const std::string& x) {
    return "string_split(" + x + ", " + quote_literal(by) + ")";
  });
}

Result<Value> concat(Compiler& compiler, const Call& call) {
  LAKEMILL_TRY(std::string separator, call.text("delimiter", ""));
  LAKEMILL_TRY(std::string order_by, call.text("order_by", ""));
  if (order_by.empty()) {
    return call.error("the order of the texts is not known; give order_by=\"column\"");
  }
  LAKEMILL_TRY(Operand order, compiler.column(order_by, call.position));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    return compiler.finish_aggregate(
        call, operand,
        compiler.aggregate("string_agg(" + operand.sql + ", " +
                           quote_literal(separator) + " ORDER BY " + order.sql + ")"),
        kString);
  });
}

Result<Value> to_time(Compiler&, const Call& call) {
  const bool date = call.name == "to_date";
  LAKEMILL_TRY(std::string format, call.text("format", ""));
  std::string converted;
  if (!format.empty()) {
    auto result = convert_time_format(format, TimeFormatUse::parse);
    if (!result) {
      return error_at(call.find("format")->position, result.error().message());
    }
    converted = *result;
  }
  const bool zone = converted.find("%z") != std::string::npos;
  const data::Type type = data::make_type(date   ? TypeKind::date
                                          : zone ? TypeKind::timestamp
                                                 : TypeKind::timestamp_ntz);
  return each(call, type, [&](const std::string& x) {
    const std::string parsed =
        converted.empty() ? x : "strptime(" + x + ", " + quote_literal(converted) + ")";
    if (date) return "CAST(" + parsed + " AS DATE)";
    return converted.empty() ? "CAST(" + x + " AS TIMESTAMP)" : parsed;
  });
}

Result<Value> pad(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::int64_t length, call.integer("length", 0));
  LAKEMILL_TRY(std::string fill, call.text("fill_char", " "));
  if (fill.empty()) return call.error("fill_char is one character");
  const std::string function = call.name == "pad_start" ? "lpad(" : "rpad(";
  const std::string count = std::to_string(length);
  return each(call, kString, [&](const std::string& x) {
    return "(CASE WHEN length(" + x + ") < " + count + " THEN " + function + x + ", " +
           count + ", " + quote_literal(fill) + ") ELSE " + x + " END)";
  });
}

// Zeros go between a sign and the digits.
Result<Value> zfill(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::int64_t width, call.integer("width", 0));
  if (width < 0) return call.error("width is 0 or more");
  const std::string count = std::to_string(width);
  return each(call, kString, [&](const std::string& x) {
    return "(CASE WHEN length(" + x + ") >= " + count + " THEN " + x + " WHEN left(" +
           x + ", 1) IN ('-', '+') THEN left(" + x + ", 1) || lpad(substr(" + x +
           ", 2), " + std::to_string(width > 0 ? width - 1 : 0) + ", '0') ELSE lpad(" +
           x + ", " + count + ", '0') END)";
  });
}

Result<Value> titlecase(Compiler&, const Call& call) {
  return each(call, kString, [](const std::string& x) {
    return "array_to_string(list_transform(regexp_extract_all(lower(" + x +
           "), '[\\pL\\pN]+|[^\\pL\\pN]+'), lambda word: upper(word[1]) || word[2:]), "
           "'')";
  });
}

Result<Value> extract(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string pattern, call.text("pattern", ""));
  LAKEMILL_TRY(std::int64_t group, call.integer("group_index", 1));
  if (group < 0 || group > 9) return call.error("group_index is 0 to 9");
  const std::string quoted = quote_literal(pattern);
  return each(call, kString, [&](const std::string& x) {
    return "(CASE WHEN regexp_matches(" + x + ", " + quoted + ") THEN regexp_extract(" +
           x + ", " + quoted + ", " + std::to_string(group) + ") END)";
  });
}

constexpr std::array kEntries = {
    FunctionEntry{"str", "to_lowercase", "", "In lower case.", simple},
    FunctionEntry{"str", "to_uppercase", "", "In upper case.", simple},
    FunctionEntry{"str", "to_titlecase", "", "Words with a capital.", titlecase},
    FunctionEntry{"str", "len_chars", "", "How many characters.", simple},
    FunctionEntry{"str", "len_bytes", "", "How many bytes.", simple},
    FunctionEntry{"str", "reverse", "", "From the end to the beginning.", simple},
    FunctionEntry{"str", "contains", "pattern, *, literal=False",
                  "True if the regular expression, or the text, is in it.", contains},
    FunctionEntry{"str", "starts_with", "prefix", "True if it begins so.", starts_with},
    FunctionEntry{"str", "ends_with", "suffix", "True if it ends so.", ends_with},
    FunctionEntry{"str", "replace", "pattern, value, *, literal=False, n=1",
                  "Replaces the first place; $1 is the first group.", replace},
    FunctionEntry{"str", "replace_all", "pattern, value, *, literal=False",
                  "Replaces every place; $1 is the first group.", replace},
    FunctionEntry{"str", "strip_chars", "characters=None",
                  "Without these characters at both ends; white space by default.",
                  strip},
    FunctionEntry{"str", "strip_chars_start", "characters=None",
                  "Without these characters at the beginning.", strip},
    FunctionEntry{"str", "strip_chars_end", "characters=None",
                  "Without these characters at the end.", strip},
    FunctionEntry{"str", "strip_prefix", "text", "Without this beginning.",
                  strip_affix},
    FunctionEntry{"str", "strip_suffix", "text", "Without this end.", strip_affix},
    FunctionEntry{"str", "slice", "offset, length=None",
                  "A part of it; a negative offset counts from the end.", slice},
    FunctionEntry{"str", "head", "n=5", "The first characters.", head_tail},
    FunctionEntry{"str", "tail", "n=5", "The last characters.", head_tail},
    FunctionEntry{"str", "split", "by", "A list of the parts.", split_text},
    FunctionEntry{"str", "extract", "pattern, group_index=1",
                  "What a group of the regular expression matched, or null.", extract},
    FunctionEntry{"str", "concat", "delimiter='', *, order_by",
                  "The texts of all rows as one, in an order.", concat},
    FunctionEntry{"str", "join", "delimiter='', *, order_by",
                  "The texts of all rows as one, in an order.", concat},
    FunctionEntry{"str", "to_datetime", "format=None",
                  "Parsed as a time; ISO 8601 without a format.", to_time},
    FunctionEntry{"str", "to_date", "format=None",
                  "Parsed as a date; ISO 8601 without a format.", to_time},
    FunctionEntry{"str", "zfill", "width", "Padded with zeros after the sign.", zfill},
    FunctionEntry{"str", "pad_start", "length, fill_char=' '",
                  "Padded at the beginning, never cut.", pad},
    FunctionEntry{"str", "pad_end", "length, fill_char=' '",
                  "Padded at the end, never cut.", pad},
};

}  // namespace

std::span<const FunctionEntry> string_functions() { return kEntries; }

}  // namespace lakemill::language
