#include "lakemill/flow/failure_place.h"

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

constexpr std::int64_t kReadAgainBytesMax = std::int64_t{1} << 30;

// What a message says, without the place in a text that the user has not written.
std::string without_place(const std::string& message) {
  return message.substr(0, message.find(", at line "));
}

}  // namespace

Error with_failing_step(engine::Session& session, const NodeQuery& query, Error error) {
  if (error.code() != ErrorCode::invalid || query.bytes() > kReadAgainBytesMax) {
    return error;
  }
  const std::string wanted = without_place(error.message());
  for (const BoundRelation& relation : query.bound()) {
    // The hash of whole rows: so that no column is left out.
    const auto computed = session.query("SELECT (max(hash(t)) >> 1)::BIGINT FROM " +
                                            quote_identifier(relation.name) + " AS t",
                                        engine::Origin::lakemill, 1);
    if (computed) continue;
    if (without_place(computed.error().message()) != wanted || !relation.step) {
      return error;
    }
    return {error.code(), to_text(*relation.step) + ": " + wanted};
  }
  return error;
}

Error with_failing_check(engine::Session& session, const std::string& rows,
                         const RowExpectations& checks, Error error) {
  const std::string wanted = without_place(error.message());
  for (std::size_t i = 0; i < checks.checks.size(); ++i) {
    const auto judged = session.query("SELECT count(*) FROM " + quote_identifier(rows) +
                                          " WHERE " + checks.checks[i].predicate,
                                      engine::Origin::pipeline, 1);
    if (judged || without_place(judged.error().message()) != wanted) continue;
    const language::Expectation& expectation = *checks.expectations[i];
    const bool has_text = !expectation.expression.empty();
    return {error.code(),
            to_text(has_text ? expectation.expression.location : expectation.location) +
                ": expectation '" + expectation.name +
                "' cannot be computed: " + wanted};
  }
  return error;
}

}  // namespace lakemill::flow
