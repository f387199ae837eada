#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/data/type.h"
#include "lakemill/language/expression_parser.h"
#include "lakemill/language/expression_sql.h"
#include "lakemill/language/signature.h"

// How expression_sql works inside; for the expression_*.cpp files alone.
//
// A syntax tree is evaluated as Python would: a call's subject and arguments become
// Values, mostly lists of Operands (one for each output column), and a handler from one
// table of functions turns them into others. Operand::sql may be put anywhere: it is a
// name, a literal, a call or in brackets.

namespace lakemill::language {

/// Longest SQL of one expression, in bytes. Some functions name their operand twice.
inline constexpr std::size_t kExpressionSqlSizeMaxBytes = 256 * 1024;

struct Operand {
  std::string sql;
  std::string name;  ///< of the column it would become
  bool aliased = false;
  std::optional<data::Type> type;
  bool duration = false;    ///< an interval, which Delta has no type for
  bool aggregates = false;  ///< has plain aggregates
  bool windows = false;
  bool columns = false;  ///< reads columns outside of aggregates
  bool is_sql = false;

  bool is(data::TypeKind kind) const { return type && type->kind == kind; }
  bool is_integer() const;
  bool is_real() const;  ///< float32, float64
  bool is_numeric() const;
  bool is_timestamp() const;  ///< with and without zone
};

/// A type, as `nw.Int64` names it.
struct TypeName {
  std::string sql;
  data::Type type;
};

/// What an expression's part evaluates to.
struct Value {
  enum class Kind : std::uint8_t {
    columns,  ///< operands
    type,     ///< type_name
    when,     ///< nw.when(...) or .when(...): conditions.back() waits for its value
    then,     ///< when … then: an expression already
  };
  Kind kind = Kind::columns;
  std::vector<Operand> operands;
  TypeName type_name;
  std::vector<Operand> conditions;
  std::vector<Operand> results;
};

/// How a string is understood where an expression may stand.
enum class StringIs : std::uint8_t { column, literal };

struct Call {
  const SyntaxNode& node;
  std::string_view name;
  Position position;
  Value subject;  ///< of a method
  BoundArguments<SyntaxNode> arguments;

  /// The argument; null if it is not given or None.
  const SyntaxNode* find(std::string_view argument) const;
  bool gives(std::string_view argument) const {
    return arguments.find(argument) != nullptr;
  }
  Error error(std::string_view message) const;

  /// Constants; the default where the argument is not given.
  Result<std::string> text(std::string_view argument, std::string_view otherwise) const;
  Result<std::int64_t> integer(std::string_view argument, std::int64_t otherwise) const;
  Result<double> real(std::string_view argument, double otherwise) const;
  Result<bool> boolean(std::string_view argument, bool otherwise) const;
  /// One of `choices`.
  Result<std::string> choice(std::string_view argument, std::string_view otherwise,
                             std::span<const std::string_view> choices) const;
};

struct WindowSpec {
  std::vector<std::string> partition;
  std::vector<std::string> order;           ///< "x" ASC NULLS FIRST
  std::vector<std::string> order_reversed;  ///< the opposite order
};

class Compiler {
 public:
  Compiler(const data::Schema& schema, Dialect dialect, AggregateForm form)
      : schema_(schema), dialect_(dialect), form_(form) {}
  /// A compiler that only checks: any column is there, and the faults go to `faults`,
  /// one for each part that has one.
  Compiler(AggregateForm form, std::vector<std::string>& faults);

  Result<Value> compile(const SyntaxNode& node);
  bool only_checks() const { return faults_ != nullptr; }
  /// What stands for columns that cannot be known when only checking.
  static Operand unknown_column(std::string name);
  /// The columns that `node` gives; a list gives those of its items.
  Result<std::vector<Operand>> columns(const SyntaxNode& node, StringIs strings);
  Result<std::vector<Operand>> columns(const std::vector<const SyntaxNode*>& nodes,
                                       StringIs strings);
  /// The one column that `node` gives.
  Result<Operand> operand(const SyntaxNode& node, StringIs strings);
  Result<Operand> column(std::string_view name, Position position) const;
  Result<TypeName> type_name(const SyntaxNode& node);

  const data::Schema& schema() const { return schema_; }
  AggregateForm form() const { return form_; }

  /// An aggregate function's SQL where it stands: with OVER inside of `.over` and when
  /// broadcasting. `finish_aggregate` then sets the flags of the result.
  std::string aggregate(const std::string& function) const;
  Result<Operand> finish_aggregate(const Call& call, Operand operand, std::string sql,
                                   std::optional<data::Type> type) const;

  /// The window that stands around, or an empty one.
  const WindowSpec& window() const;
  bool in_over() const { return window_ != nullptr; }
  /// Fails unless rows have an order here.
  Status need_order(const Call& call) const;
  Status no_window_inside(const Call& call, const Operand& operand) const;

  Result<Value> over(const SyntaxNode& node, const SyntaxNode& subject);

 private:
  Result<Value> compile_node(const SyntaxNode& node);
  Result<Value> compile_call(const SyntaxNode& node);
  Result<Value> compile_attribute(const SyntaxNode& node);
  Result<Value> compile_binary(const SyntaxNode& node);
  Result<Value> compile_unary(const SyntaxNode& node);
  Result<Value> compile_subscript(const SyntaxNode& node);
  Result<Value> compile_literal(const SyntaxNode& node);
  Result<Value> call_function(const SyntaxNode& node, std::string_view scope,
                              std::string_view name, Value subject);

  const data::Schema& schema_;
  Dialect dialect_;
  AggregateForm form_;
  const WindowSpec* window_ = nullptr;
  std::vector<std::string>* faults_ = nullptr;  // only when checking
};

using Handler = Result<Value> (*)(Compiler& compiler, const Call& call);

struct FunctionEntry {
  std::string_view scope;
  std::string_view name;
  std::string_view signature;
  std::string_view summary;
  Handler handler;
};

/// The tables of functions, one for each file of handlers.
std::span<const FunctionEntry> entry_functions();        // nw, laktory
std::span<const FunctionEntry> spark_functions();        // F
std::span<const FunctionEntry> elementwise_functions();  // expr
std::span<const FunctionEntry> aggregate_functions();    // expr: aggregates, windows
std::span<const FunctionEntry> string_functions();       // str
std::span<const FunctionEntry> time_functions();         // dt
std::span<const FunctionEntry> nested_functions();  // list, struct, cat, name, laktory

const FunctionEntry* find_function(std::string_view scope, std::string_view name);

/// Types as entry names give them: "Int64", "String", …; Decimal, List and others with
/// arguments are in type_name.
std::optional<TypeName> plain_type(std::string_view name);
std::optional<TypeName> spark_type(std::string_view name);

/// Operand::sql of constants.
std::string literal_sql(double value);
std::string literal_sql(std::int64_t value);

Value columns_value(std::vector<Operand> operands);
Value column_value(Operand operand);
/// `operand` with other SQL and type; keeps the name and what it reads.
Operand with_sql(Operand operand, std::string sql, std::optional<data::Type> type);
/// Marks in `operand` what `other` reads.
void absorb(Operand& operand, const Operand& other);
/// Applies `change` to each column.
Result<Value> for_each_column(const Value& value,
                              const std::function<Result<Operand>(Operand)>& change);

/// `operand` as `type`, with Polars' meaning of casts between numbers and times.
Operand cast_operand(Operand operand, const TypeName& type, bool strict);

/// Arithmetic and comparisons as SQL.
Operand binary_operand(std::string_view symbol, Operand left, const Operand& right);

/// when … then as a column.
Operand when_operand(const Value& value, const Operand* otherwise);

}  // namespace lakemill::language
