#include "lakemill/flow/step_sql.h"

#include <cctype>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/flow/sql_place.h"
#include "lakemill/language/embedded_sql.h"
#include "lakemill/language/method_sql.h"

namespace lakemill::flow {

namespace {

Error at(const language::Location& location, const Error& error) {
  return {error.code(), to_text(location) + ": " + error.message()};
}

// Without space behind it; what is before it counts for places.
std::string_view trim_end(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

// SQL with its frame references replaced by quoted relation names.
struct FramedSql {
  struct Piece {
    std::size_t in_sql = 0;   // where a relation's name begins
    std::size_t in_text = 0;  // and the reference that it stands for
    std::size_t sql_length = 0;
    std::size_t text_length = 0;
  };
  std::string sql;
  std::vector<Piece> pieces;

  // The byte of the author's text at which a byte of the SQL stands.
  std::size_t offset_in_text(std::size_t offset) const {
    std::size_t sql_end = 0;
    std::size_t text_end = 0;
    for (const Piece& piece : pieces) {
      if (offset < piece.in_sql) break;
      if (offset < piece.in_sql + piece.sql_length) return piece.in_text;
      sql_end = piece.in_sql + piece.sql_length;
      text_end = piece.in_text + piece.text_length;
    }
    return text_end + (offset - sql_end);
  }
};

Result<FramedSql> with_frames(const std::string& text, const FrameNames& names) {
  FramedSql framed;
  std::size_t copied = 0;
  for (const auto& reference : language::frame_references(text)) {
    framed.sql += text.substr(copied, reference.offset - copied);
    LAKEMILL_TRY(const std::string relation, names(reference));
    const std::string quoted = quote_identifier(relation);
    framed.pieces.push_back(
        {framed.sql.size(), reference.offset, quoted.size(), reference.length});
    framed.sql += quoted;
    copied = reference.offset + reference.length;
  }
  framed.sql += text.substr(copied);
  return framed;
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
  auto framed = with_frames(text.text, names);
  if (!framed) return at(text.location, framed.error());
  std::string_view sql = trim_end(framed->sql);
  while (sql.ends_with(';')) sql = trim_end(sql.substr(0, sql.size() - 1));
  auto bound = bind_text(session, name, std::string(sql), carried);
  if (!bound) {
    const auto in_text = [&](std::size_t offset) {
      return std::optional<std::size_t>(framed->offset_in_text(offset));
    };
    return at_place_in_file(text, framed->sql, in_text, bound.error());
  }
  return bound;
}

Result<language::Frame> frame_of(engine::Session& session,
                                 const std::string& relation) {
  const std::string quoted = quote_identifier(relation);
  LAKEMILL_TRY(auto shape,
               session.describe("SELECT * FROM " + quoted, engine::Origin::lakemill));
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

// An error about what a method was compiled to: at its place where the author has
// written that part of it as SQL, else at the method.
Error at_place_in_method(const language::MethodCall& method, std::string_view sql,
                         const Error& error) {
  const PlacedError placed = take_place(error, sql);
  if (placed.offset) {
    for (const language::EmbeddedSql& part : language::embedded_sql(method)) {
      for (std::size_t begin = sql.find(part.sql); begin != std::string_view::npos;
           begin = sql.find(part.sql, begin + 1)) {
        const std::size_t end = begin + part.sql.size();
        if (*placed.offset < begin || *placed.offset >= end) continue;
        const std::size_t offset = part.offset_in_scalar(*placed.offset - begin);
        return at_place_in_file(
            part.scalar, sql,
            [offset](std::size_t) { return std::optional<std::size_t>(offset); },
            error);
      }
    }
  }
  return at(method.location, placed.error);
}

Result<bool> bind_method(engine::Session& session, const language::MethodCall& method,
                         const std::string& current, const std::string& name,
                         const FrameNames& names, std::string_view carried) {
  LAKEMILL_TRY(const language::Frame input, frame_of(session, current));
  const auto resolve = [&](std::string_view text) -> Result<language::Frame> {
    LAKEMILL_TRY(const auto reference, reference_of(text));
    LAKEMILL_TRY(const std::string relation, names(reference));
    return frame_of(session, relation);
  };
  LAKEMILL_TRY(
      const std::string sql,
      language::compile_method(method, input, resolve, language::Dialect::duckdb));
  auto bound = bind_text(session, name, sql, carried);
  if (!bound) return at_place_in_method(method, sql, bound.error());
  return bound;
}

}  // namespace

Result<bool> bind_step(engine::Session& session, const language::Step& step,
                       const std::string& current, const std::string& name,
                       const FrameNames& names, std::string_view carried) {
  if (!step.is_sql()) {
    return bind_method(session, step.method(), current, name, names, carried);
  }
  return bind_sql(session, step.sql(), name, names, carried);
}

}  // namespace lakemill::flow
