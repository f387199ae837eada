#include "lakemill/net/http_client.h"

namespace lakemill::net {

std::string_view HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

}  // namespace lakemill::net
