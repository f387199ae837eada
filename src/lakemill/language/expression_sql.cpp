#include "lakemill/language/expression_sql.h"

#include <array>
#include <cctype>
#include <map>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

namespace lakemill::language {
namespace {

std::array<std::span<const FunctionEntry>, 7> all_functions() {
  return {entry_functions(),     spark_functions(),  elementwise_functions(),
          aggregate_functions(), string_functions(), time_functions(),
          nested_functions()};
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

CompiledExpression published(Operand operand) {
  CompiledExpression compiled;
  compiled.sql = std::move(operand.sql);
  compiled.name = std::move(operand.name);
  if (operand.aliased) compiled.alias = compiled.name;
  compiled.aggregates = operand.aggregates;
  compiled.windows = operand.windows;
  compiled.reads_rows = operand.columns;
  compiled.is_sql = operand.is_sql;
  compiled.type = std::move(operand.type);
  return compiled;
}

// The words of an SQL text outside of strings, in order, with what follows each.
struct SqlWord {
  std::string text;
  std::size_t begin = 0;
  std::size_t end = 0;
  int depth = 0;
  char next = '\0';
};

struct SqlScan {
  std::vector<SqlWord> words;
  bool has_comment = false;
};

// Where the string, quoted name or comment that begins at `at` ends; npos: nowhere.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
  if (text[at] == '-' || text[at] == '/') {
    const bool line = text[at] == '-';
    const std::size_t end = text.find(line ? "\n" : "*/", at + 2);
    if (end == std::string_view::npos) return line ? text.size() : end;
    return end + (line ? 1 : 2);
  }
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] != quote) continue;
    if (i + 1 < text.size() && text[i + 1] == quote) {
      ++i;
      continue;
    }
    return i + 1;
  }
  return std::string_view::npos;
}

Result<SqlScan> scan_sql(std::string_view text) {
  SqlScan scan;
  std::string open;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const bool comment = text.substr(i, 2) == "--" || text.substr(i, 2) == "/*";
    if (c == '\'' || c == '"' || comment) {
      scan.has_comment = scan.has_comment || comment;
      const std::size_t end = skip_quoted(text, i);
      if (end == std::string_view::npos) {
        return Error(ErrorCode::invalid, "the SQL has an open string or comment");
      }
      i = end;
    } else if (c == '(' || c == '[' || c == '{') {
      open.push_back(c);
      ++i;
    } else if (c == ')' || c == ']' || c == '}') {
      const char wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (open.empty() || open.back() != wanted) {
        return Error(ErrorCode::invalid,
                     std::string("the SQL has a '") + c + "' that nothing opened");
      }
      open.pop_back();
      ++i;
    } else if (c == ';') {
      return Error(ErrorCode::invalid, "one SQL expression is due, without ';'");
    } else if (is_word(c)) {
      SqlWord word;
      word.begin = i;
      while (i < text.size() && is_word(text[i])) ++i;
      word.end = i;
      word.text = std::string(text.substr(word.begin, i - word.begin));
      word.depth = static_cast<int>(open.size());
      std::size_t after = i;
      while (after < text.size() &&
             std::isspace(static_cast<unsigned char>(text[after]))) {
        ++after;
      }
      word.next = after < text.size() ? text[after] : '\0';
      scan.words.push_back(std::move(word));
    } else {
      ++i;
    }
  }
  if (!open.empty()) {
    return Error(ErrorCode::invalid,
                 std::string("the SQL has a '") + open.back() + "' that is not closed");
  }
  return scan;
}

bool is_aggregate_name(std::string_view name) {
  constexpr std::array<std::string_view, 27> kNames = {
      "sum",        "count",       "avg",
      "mean",       "min",         "max",
      "median",     "mode",        "stddev",
      "stddev_pop", "stddev_samp", "variance",
      "var_pop",    "var_samp",    "first",
      "last",       "any_value",   "arg_min",
      "arg_max",    "bool_and",    "bool_or",
      "string_agg", "list",        "array_agg",
      "quantile",   "corr",        "approx_count_distinct"};
  for (const std::string_view known : kNames) {
    if (equals_ignoring_case(known, name)) return true;
  }
  return false;
}

// True if `text` calls `word`.something( or, for col and lit, the word itself.
bool calls_dataframe(std::string_view text) {
  auto scan = scan_sql(text);
  if (!scan) {
    // Python strings may be no SQL strings; look at the text as it is.
    for (const std::string_view begin : {"nw.", "pl.", "F."}) {
      const std::size_t at = text.find(begin);
      if (at != std::string_view::npos && (at == 0 || !is_word(text[at - 1])))
        return true;
    }
    return text.find("col(") != std::string_view::npos;
  }
  const std::vector<SqlWord>& words = scan->words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const SqlWord& word = words[i];
    const bool after_dot = word.begin > 0 && text[word.begin - 1] == '.';
    if (after_dot) continue;
    if ((word.text == "col" || word.text == "lit") && word.next == '(') return true;
    if (word.text != "nw" && word.text != "pl" && word.text != "F") continue;
    // nw.dtypes.String( … : follow the dots to a call.
    std::size_t last = i;
    while (last + 1 < words.size() && words[last].next == '.' &&
           words[last + 1].begin == words[last].end + 1) {
      ++last;
    }
    if (last > i && words[last].next == '(') return true;
  }
  return false;
}

}  // namespace

const FunctionEntry* find_function(std::string_view scope, std::string_view name) {
  using Key = std::pair<std::string_view, std::string_view>;
  static const std::map<Key, const FunctionEntry*> kIndex = [] {
    std::map<Key, const FunctionEntry*> index;
    for (const std::span<const FunctionEntry> entries : all_functions()) {
      for (const FunctionEntry& entry : entries) {
        index.emplace(Key{entry.scope, entry.name}, &entry);
      }
    }
    return index;
  }();
  const auto found = kIndex.find(Key{scope, name});
  return found == kIndex.end() ? nullptr : found->second;
}

std::vector<ExpressionFunction> expression_functions() {
  std::map<std::pair<std::string_view, std::string_view>, ExpressionFunction> sorted;
  for (const std::span<const FunctionEntry> entries : all_functions()) {
    for (const FunctionEntry& entry : entries) {
      sorted[{entry.scope, entry.name}] =
          ExpressionFunction{entry.scope, entry.name, entry.signature, entry.summary};
    }
  }
  std::vector<ExpressionFunction> functions;
  for (auto& [key, function] : sorted) functions.push_back(function);
  return functions;
}

Result<std::vector<CompiledExpression>> compile_expressions(std::string_view text,
                                                            const data::Schema& schema,
                                                            Dialect dialect,
                                                            AggregateForm form) {
  if (dialect != Dialect::duckdb) {
    return Error(ErrorCode::unsupported,
                 "expressions are written for the embedded engine only");
  }
  LAKEMILL_TRY(SyntaxNodePtr root, parse_expression(text));
  Compiler compiler(schema, dialect, form);
  LAKEMILL_TRY(std::vector<Operand> operands,
               compiler.columns(*root, StringIs::literal));
  std::vector<CompiledExpression> compiled;
  for (Operand& operand : operands) {
    if (operand.duration) {
      return error_at(root->position,
                      "a table cannot hold a duration; take its .dt.total_seconds() or "
                      "the like");
    }
    compiled.push_back(published(std::move(operand)));
  }
  return compiled;
}

CheckedExpressions check_expressions(std::string_view text, AggregateForm form) {
  CheckedExpressions checked;
  const auto root = parse_expression(text);
  if (!root) {
    checked.faults.push_back(root.error().message());
    return checked;
  }
  Compiler compiler(form, checked.faults);
  auto operands = compiler.columns(**root, StringIs::literal);
  if (!operands) {
    if (checked.faults.empty()) checked.faults.push_back(operands.error().message());
    return checked;
  }
  for (Operand& operand : *operands) {
    checked.columns.push_back(published(std::move(operand)));
  }
  return checked;
}

Result<CompiledExpression> compile_expression(std::string_view text,
                                              const data::Schema& schema,
                                              Dialect dialect) {
  LAKEMILL_TRY(std::vector<CompiledExpression> compiled,
               compile_expressions(text, schema, dialect, AggregateForm::plain));
  if (compiled.size() != 1) {
    return error_at(Position{},
                    "one column is due here, not " + std::to_string(compiled.size()));
  }
  return std::move(compiled.front());
}

Result<CompiledExpression> embed_sql_expression(std::string_view sql) {
  std::string_view text = trim(sql);
  if (text.empty()) return Error(ErrorCode::invalid, "the SQL expression is empty");
  LAKEMILL_TRY(SqlScan scan, scan_sql(text));
  CompiledExpression compiled;
  compiled.is_sql = true;
  for (const SqlWord& word : scan.words) {
    if (word.next == '(' && is_aggregate_name(word.text)) compiled.aggregates = true;
    if (equals_ignoring_case(word.text, "over") && word.next == '(') {
      compiled.windows = true;
    }
  }
  if (compiled.windows) compiled.aggregates = false;
  compiled.reads_rows = !compiled.aggregates;
  for (const SqlWord& word : scan.words) {
    if (word.depth != 0 || !equals_ignoring_case(word.text, "as")) continue;
    std::string name(trim(text.substr(word.end)));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    if (name.empty()) return Error(ErrorCode::invalid, "a name is due after AS");
    compiled.alias = name;
    text = trim(text.substr(0, word.begin));
  }
  compiled.name = compiled.alias ? *compiled.alias : std::string(text);
  if (!compiled.alias && text.size() >= 2 && text.front() == '"' &&
      text.back() == '"') {
    compiled.name = std::string(text.substr(1, text.size() - 2));
  }
  compiled.sql = "(" + std::string(text) + (scan.has_comment ? "\n)" : ")");
  return compiled;
}

bool is_expression(std::string_view text, TextContext context) {
  if (context == TextContext::method_argument) {
    return text.find('(') != std::string_view::npos;
  }
  return calls_dataframe(text);
}

Result<std::string> compile_type(std::string_view text, Dialect dialect) {
  LAKEMILL_TRY(SyntaxNodePtr root, parse_expression(text));
  const data::Schema none;
  Compiler compiler(none, dialect, AggregateForm::plain);
  if (root->kind == NodeKind::name) {
    if (auto type = spark_type(root->text)) return type->sql;
  }
  LAKEMILL_TRY(TypeName type, compiler.type_name(*root));
  return type.sql;
}

}  // namespace lakemill::language
