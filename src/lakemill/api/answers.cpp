#include "lakemill/api/answers.h"

namespace lakemill::api {

using server::Answer;

namespace {

// How a failure is told.
server::Refusal refusal_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid:
      return {422, "invalid", error.message()};
    case ErrorCode::not_found:
      return {404, "not_found", error.message()};
    case ErrorCode::exists:
      return {409, "exists", error.message()};
    case ErrorCode::denied:
      return {403, "denied", error.message()};
    case ErrorCode::unavailable:
    case ErrorCode::unknown:
    case ErrorCode::cancelled:
      return {503, "unavailable", error.message()};
    case ErrorCode::unsupported:
      return {501, "unsupported", error.message()};
    case ErrorCode::corrupt:
      break;
  }
  return {500, "corrupt", error.message()};
}

}  // namespace

Answer found_text(std::string json, int status) {
  Answer answer = server::json_answer(status, std::move(json));
  answer.headers.push_back({"Cache-Control", "no-store"});
  return answer;
}

Answer found(const OrderedJson& json, int status) {
  return found_text(json_text(json), status);
}

Answer failed(const Error& error) { return server::error_answer(refusal_of(error)); }

}  // namespace lakemill::api
