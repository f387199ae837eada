#include "lakemill/flow/step_sql.h"

#include "lakemill/base/text.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, const Error& error) {
  return {error.code(), to_text(location) + ": " + error.message()};
}

// The text with its frame references replaced by quoted relation names.
Result<std::string> with_frames(const std::string& text, const FrameNames& names) {
  std::string sql;
  std::size_t copied = 0;
  for (const auto& reference : language::frame_references(text)) {
    sql += text.substr(copied, reference.offset - copied);
    LAKEMILL_TRY(const std::string relation, names(reference));
    sql += quote_identifier(relation);
    copied = reference.offset + reference.length;
  }
  return sql + text.substr(copied);
}

Result<bool> bind_text(engine::Session& session, const std::string& name,
                       const std::string& sql, std::string_view carried) {
  if (!carried.empty()) {
    return session.bind_carrying(name, sql, carried, engine::Origin::pipeline);
  }
  LAKEMILL_TRY_OK(session.bind_query(name, sql, engine::Origin::pipeline));
  return false;
}

Result<bool> bind_sql(engine::Session& session, const language::SourceText& text,
                      const std::string& name, const FrameNames& names,
                      std::string_view carried) {
  LAKEMILL_TRY(std::string sql, with_frames(text.text, names));
  sql = trim(sql);
  while (sql.ends_with(';')) sql = trim(sql.substr(0, sql.size() - 1));
  return bind_text(session, name, sql, carried);
}

Result<language::Frame> frame_of(engine::Session& session, const std::string& relation,
                                 std::string_view carried) {
  const std::string quoted = quote_identifier(relation);
  LAKEMILL_TRY(auto shape,
               session.describe("SELECT * FROM " + quoted, engine::Origin::lakemill));
  std::erase_if(shape.schema.fields,
                [&](const data::Field& field) { return field.name == carried; });
  return language::Frame{quoted, std::move(shape.schema)};
}

// "nodes.x", "sources.x" or "df", as method arguments name frames.
Result<language::FrameReference> reference_of(std::string_view text) {
  using Kind = language::FrameReference::Kind;
  language::FrameReference reference;
  if (text == "df") return reference;
  const std::size_t dot = text.find('.');
  const std::string_view kind = text.substr(0, dot);
  if (dot == std::string_view::npos || (kind != "nodes" && kind != "sources")) {
    return Error(ErrorCode::not_found, "no frame '" + std::string(text) + "'");
  }
  reference.kind = kind == "nodes" ? Kind::node : Kind::source;
  reference.name = text.substr(dot + 1);
  return reference;
}

Result<bool> bind_method(engine::Session& session, const language::MethodCall& method,
                         const std::string& current, const std::string& name,
                         const FrameNames& names, std::string_view carried) {
  LAKEMILL_TRY(const language::Frame input, frame_of(session, current, carried));
  const auto resolve = [&](std::string_view text) -> Result<language::Frame> {
    LAKEMILL_TRY(const auto reference, reference_of(text));
    LAKEMILL_TRY(const std::string relation, names(reference));
    return frame_of(session, relation, carried);
  };
  LAKEMILL_TRY(
      const std::string sql,
      language::compile_method(method, input, resolve, language::Dialect::duckdb));
  auto bound = bind_text(session, name, sql, carried);
  if (!bound) return at(method.location, bound.error());
  if (*bound || carried.empty()) return bound;
  // Then the column is one like the others.
  return bind_method(session, method, current, name, names, "");
}

}  // namespace

Result<bool> bind_step(engine::Session& session, const language::Step& step,
                       const std::string& current, const std::string& name,
                       const FrameNames& names, std::string_view carried) {
  if (!step.is_sql()) {
    return bind_method(session, step.method(), current, name, names, carried);
  }
  auto bound = bind_sql(session, step.sql(), name, names, carried);
  if (!bound) return at(step.sql().location, bound.error());
  return bound;
}

}  // namespace lakemill::flow
