#include "lakemill/flow/failure_place.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

constexpr std::int64_t kReadAgainBytesMax = std::int64_t{1} << 30;

// What a message says, without the place in a text that the user has not written.
std::string without_place(const std::string& message) {
  return message.substr(0, message.find(", at line "));
}

// The same without what it quotes: of several values that fail, any may come first.
std::string kind_of(const std::string& message) {
  std::string kind;
  char open = '\0';
  for (const char letter : without_place(message)) {
    if (open == '\0') kind += letter;
    if (letter == open) {
      open = '\0';
    } else if (open == '\0' && (letter == '\'' || letter == '"')) {
      open = letter;
    }
  }
  return kind;
}

}  // namespace

Error with_failing_step(engine::Session& session, const NodeQuery& query, Error error) {
  const bool of_rows =
      error.code() == ErrorCode::invalid || error.code() == ErrorCode::unsupported;
  if (!of_rows || query.bytes() > kReadAgainBytesMax) return error;
  const std::string wanted = kind_of(error.message());
  for (const BoundRelation& relation : query.bound()) {
    // The hash of whole rows: so that no column is left out.
    const auto computed = session.query("SELECT (max(hash(t)) >> 1)::BIGINT FROM " +
                                            quote_identifier(relation.name) + " AS t",
                                        engine::Origin::lakemill, 1);
    if (computed) continue;
    const std::string kind = kind_of(computed.error().message());
    const bool is_same = kind == wanted || wanted.ends_with(": " + kind);
    if (!is_same || !relation.step) return error;
    // What writes a file tells its name first, which is a temporary one.
    const std::string& message =
        kind == wanted ? error.message() : computed.error().message();
    return {error.code(), to_text(*relation.step) + ": " + without_place(message)};
  }
  return error;
}

Error with_failing_check(engine::Session& session, const std::string& rows,
                         const RowExpectations& checks, Error error) {
  const std::string wanted = without_place(error.message());
  const std::string kind = kind_of(wanted);
  for (std::size_t i = 0; i < checks.checks.size(); ++i) {
    const auto judged = session.query("SELECT count(*) FROM " + quote_identifier(rows) +
                                          " WHERE " + checks.checks[i].predicate,
                                      engine::Origin::pipeline, 1);
    if (judged || kind_of(judged.error().message()) != kind) continue;
    const language::Expectation& expectation = *checks.expectations[i];
    const bool has_text = !expectation.expression.empty();
    return {error.code(),
            to_text(has_text ? expectation.expression.location : expectation.location) +
                ": expectation '" + expectation.name +
                "' cannot be computed: " + wanted};
  }
  return error;
}

namespace {

Error missing_column(std::string_view clause, const std::string& column,
                     const data::Schema& schema) {
  std::vector<std::string> known;
  for (const data::Field& field : schema.fields) {
    if (!field.name.starts_with("_lakemill_")) known.push_back(field.name);
  }
  const auto meant = nearest(column, known);
  return {ErrorCode::invalid, std::string(clause) + " names column '" + column +
                                  "', which the source does not have; " +
                                  (meant ? "did you mean '" + *meant + "'?"
                                         : "it has " + join(known, ", "))};
}

}  // namespace

Status check_renames(engine::Session& session, const language::Source& source,
                     const std::string& relation) {
  if (source.renames.empty()) return {};
  LAKEMILL_TRY(const auto shape,
               session.describe("SELECT * FROM " + quote_identifier(relation),
                                engine::Origin::lakemill));
  for (const auto& rename : source.renames) {
    if (shape.schema.find(rename.column) == nullptr) {
      return missing_column("renames", rename.column, shape.schema);
    }
  }
  return {};
}

Error with_missing_column(engine::Session& session, const language::Source& source,
                          const std::string& relation, Error error) {
  const auto shape = session.describe("SELECT * FROM " + quote_identifier(relation),
                                      engine::Origin::lakemill);
  if (!shape) return error;
  std::vector<std::string> selected;
  for (const auto& select : source.selects) selected.push_back(select.column);
  for (const auto& [clause, columns] :
       {std::pair("selects", selected), std::pair("drops", source.drops),
        std::pair("drop_duplicates", source.drop_duplicates_columns)}) {
    for (const std::string& column : columns) {
      const bool is_told =
          error.message().find(quote_identifier(column)) != std::string::npos;
      if (!is_told || shape->schema.find(column) != nullptr) continue;
      return missing_column(clause, column, shape->schema);
    }
  }
  return error;
}

}  // namespace lakemill::flow
