#include "lakemill/language/embedded_sql.h"

#include "lakemill/language/expression_parser.h"
#include "lakemill/language/expression_sql.h"

namespace lakemill::language {

namespace {

std::size_t offset_at(std::string_view text, const Position& position) {
  std::size_t begin = 0;
  for (int line = 1; line < position.line; ++line) begin = text.find('\n', begin) + 1;
  return begin + static_cast<std::size_t>(position.column - 1);
}

class Finder {
 public:
  explicit Finder(const MethodCall& call) {
    const bool only_aggregates = call.name == "agg" || call.name.ends_with(").agg");
    const bool with_keys = call.name == "laktory.groupby_and_agg";
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      aggregates_ = only_aggregates || (with_keys && i == 1);
      argument(call.arguments[i]);
    }
    for (const NamedArgument& named : call.named_arguments) {
      aggregates_ = only_aggregates || named.name == "agg_expressions";
      argument(named.value);
    }
  }

  std::vector<EmbeddedSql> found;

 private:
  void argument(const Tree& value) {
    const Tree* type = value.find("type");
    const Tree* expression = value.find("expr");
    if (type != nullptr && type->text == "SQL" && expression != nullptr) {
      add(expression->text, *expression, 0);
      return;
    }
    if (value.is_string() && !value.literal) {
      if (value.text.find("expr") != std::string::npos) {
        const auto tree = parse_expression(value.text);
        if (tree) within(**tree, value);
      } else if (aggregates_ && !is_expression(value.text, TextContext::aggregation)) {
        add(value.text, value, 0);
      }
    }
    for (const Tree& item : value.items) argument(item);
    for (const TreeEntry& entry : value.entries) argument(entry.value);
  }

  void within(const SyntaxNode& node, const Tree& scalar) {
    const bool calls_sql =
        node.kind == NodeKind::call && node.children.size() > 1 &&
        (node.children[0]->text == "sql_expr" || node.children[0]->text == "expr");
    if (calls_sql && node.children[1]->kind == NodeKind::string) {
      const SyntaxNode& text = *node.children[1];
      std::size_t begin = offset_at(scalar.text, text.position);
      begin = scalar.text.find_first_of("'\"", begin);  // behind a prefix
      if (begin == std::string::npos) return;
      begin = scalar.text.find_first_not_of(scalar.text[begin], begin);
      add(text.text, scalar, begin == std::string::npos ? 0 : begin);
    }
    for (const SyntaxNodePtr& child : node.children) within(*child, scalar);
    for (const KeywordArgument& keyword : node.keywords) within(*keyword.value, scalar);
  }

  // `begin`: where `text` begins in the scalar.
  void add(const std::string& text, const Tree& scalar, std::size_t begin) {
    const auto compiled = embed_sql_expression(text);
    if (!compiled) return;  // told where it is compiled
    EmbeddedSql sql;
    sql.sql = compiled->sql.substr(1, compiled->sql.size() - 2);
    sql.scalar = {scalar.text, scalar.location, scalar.block};
    const std::size_t inner = text.find(sql.sql);
    sql.begin = begin + (inner == std::string::npos ? 0 : inner);
    sql.as_written = inner != std::string::npos &&
                     scalar.text.compare(sql.begin, sql.sql.size(), sql.sql) == 0;
    found.push_back(std::move(sql));
  }

  bool aggregates_ = false;  // strings there are aggregations
};

}  // namespace

std::vector<EmbeddedSql> embedded_sql(const MethodCall& call) {
  return std::move(Finder(call).found);
}

}  // namespace lakemill::language
