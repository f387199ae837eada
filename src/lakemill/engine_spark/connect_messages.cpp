#include "lakemill/engine_spark/connect_messages.h"

#include "lakemill/engine_spark/message_codec.h"

namespace lakemill::engine_spark {

namespace {

constexpr std::string_view kClientType = "lakemill";

// The bytes of a message with one embedded field.
std::string wrapped(std::uint32_t field, std::string_view message) {
  return MessageWriter().embedded(field, message).bytes();
}

// map<string, string>, and KeyValue too.
std::string entry(const std::string& key, const std::string& value) {
  return MessageWriter().text(1, key).text(2, value).bytes();
}

std::string user_context(const ConnectSession& session) {
  return MessageWriter().text(1, session.user_id).bytes();
}

// session_id = 1, user_context = 2: in every request. `client_type` = 4 in those of
// execution and configuration, 3 in the others.
MessageWriter request(const ConnectSession& session, std::uint32_t client_type) {
  MessageWriter message;
  message.text(1, session.session_id)
      .embedded(2, user_context(session))
      .text(client_type, kClientType);
  return message;
}

constexpr std::uint32_t kClientTypeOfExecution = 4;
constexpr std::uint32_t kClientTypeOfControl = 3;

std::string execute_request(const ConnectSession& session, std::string_view plan) {
  return request(session, kClientTypeOfExecution).embedded(3, plan).bytes();
}

}  // namespace

std::string sql_relation(std::string_view sql) {
  return wrapped(10, MessageWriter().text(1, sql).bytes());
}

std::string read_relation(const ReadSource& source) {
  MessageWriter data_source;
  data_source.text(1, source.format).text(2, source.schema);
  for (const auto& [key, value] : source.options) {
    data_source.embedded(3, entry(key, value));
  }
  for (const std::string& path : source.paths) data_source.embedded(4, path);
  return wrapped(2, wrapped(2, data_source.bytes()));
}

std::string sql_command(std::string_view sql) {
  // 1 is what 3.5 reads, 6 what 4.0 reads.
  return wrapped(5,
                 MessageWriter().text(1, sql).embedded(6, sql_relation(sql)).bytes());
}

std::string view_command(std::string_view name, std::string_view relation) {
  constexpr std::uint64_t kReplace = 1;
  return wrapped(
      3,
      MessageWriter().embedded(1, relation).text(2, name).number(4, kReplace).bytes());
}

std::string write_command(const WriteRequest& write) {
  MessageWriter operation;
  operation.embedded(1, write.relation)
      .text(2, write.format)
      .text(3, write.path)
      .number(5, static_cast<std::uint64_t>(write.mode));
  for (const std::string& column : write.partition_by) operation.embedded(7, column);
  for (const auto& [key, value] : write.options) {
    operation.embedded(9, entry(key, value));
  }
  return wrapped(2, operation.bytes());
}

std::string query_request(const ConnectSession& session, std::string_view relation) {
  return execute_request(session, wrapped(1, relation));
}

std::string command_request(const ConnectSession& session, std::string_view command) {
  return execute_request(session, wrapped(2, command));
}

std::string config_request(const ConnectSession& session,
                           const std::map<std::string, std::string>& settings) {
  MessageWriter set;
  for (const auto& [key, value] : settings) set.embedded(1, entry(key, value));
  return request(session, kClientTypeOfExecution)
      .embedded(3, wrapped(1, set.bytes()))
      .bytes();
}

std::string interrupt_request(const ConnectSession& session) {
  constexpr std::uint64_t kAll = 1;
  return request(session, kClientTypeOfControl).number(4, kAll).bytes();
}

std::string release_request(const ConnectSession& session) {
  return request(session, kClientTypeOfControl).bytes();
}

Result<std::string_view> arrow_batch_of(std::string_view response) {
  constexpr std::uint32_t kArrowBatch = 2;
  constexpr std::uint32_t kData = 2;
  std::string_view found;
  MessageReader fields(response);
  MessageField field;
  while (true) {
    LAKEMILL_TRY(const bool more, fields.next(field));
    if (!more) return found;
    if (field.field != kArrowBatch) continue;
    MessageReader batch(field.text);
    MessageField member;
    while (true) {
      LAKEMILL_TRY(const bool more_members, batch.next(member));
      if (!more_members) break;
      if (member.field == kData) found = member.text;
    }
  }
}

}  // namespace lakemill::engine_spark
