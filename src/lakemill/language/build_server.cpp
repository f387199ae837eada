#include "lakemill/base/network_address.h"
#include "lakemill/base/text.h"
#include "lakemill/language/orchestration_builder.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

constexpr double kAtOnceMax = 1000;
constexpr std::chrono::microseconds kLeast{1};
constexpr std::chrono::microseconds kSqlTimeoutMax = std::chrono::seconds(60);
constexpr double kSqlRowsMax = 10'000;

Role role_of(const std::string& choice) {
  if (choice == "RUNNER") return Role::runner;
  if (choice == "EDITOR") return Role::editor;
  return choice == "ADMIN" ? Role::admin : Role::viewer;
}

class ServerBuilder {
 public:
  ServerBuilder(const Part& part, BuildContext& context)
      : part_(part), check_(part, context), context_(context) {}

  Server build() {
    const Fields& fields = check_.fields();
    check_.need_range("runs_max", 1, kAtOnceMax);
    check_.need_range("continuous_max", 1, kAtOnceMax);
    server_.runs_max = fields.integer("runs_max").value_or(server_.runs_max);
    server_.continuous_max =
        fields.integer("continuous_max").value_or(server_.continuous_max);
    if (const Tree* tls = fields.find("tls")) {
      const Fields inner(*tls);
      server_.tls = ServerTls{inner.text("certificate", ""), inner.text("key", "")};
    }
    server_.behind_proxy = fields.texts("behind_proxy");
    for (const Name& name : fields.names("behind_proxy")) {
      tell(name, "behind_proxy", parse_address_range(name.text));
    }
    read_sql();
    read_webhooks();
    if (const Tree* ingest = fields.find("ingest")) {
      server_.ingest_bytes_max =
          Fields(*ingest).size("max_bytes").value_or(server_.ingest_bytes_max);
    }
    server_.metrics_are_open = fields.choice("metrics") == "OPEN";
    read_listen();
    return std::move(server_);
  }

 private:
  template <typename Value>
  void tell(const Name& name, const std::string& key, const Result<Value>& result) {
    if (result) return;
    context_.diagnostics.error(name.location, below(part_.path, key),
                               result.error().message(), "");
  }

  void read_sql() {
    const Tree* sql = check_.fields().find("sql");
    if (sql == nullptr) return;
    const Part part{sql, below(part_.path, "sql")};
    PartCheck check(part, context_);
    const Fields& fields = check.fields();
    check.need_duration_of("timeout", kLeast);
    check.need_range("rows_max", 1, kSqlRowsMax);
    server_.sql.role = role_of(fields.choice("role"));
    server_.sql.timeout = fields.duration("timeout").value_or(server_.sql.timeout);
    server_.sql.rows_max = fields.integer("rows_max").value_or(server_.sql.rows_max);
    server_.sql.memory_limit_bytes = fields.size("memory_limit");
    if (server_.sql.timeout > kSqlTimeoutMax) {
      check.fault("timeout",
                  "key 'timeout'" + at_path(part.path) + " needs 60s at most, not '" +
                      fields.text("timeout", "") + "'",
                  "");
    }
  }

  // Ranges of addresses, and names of hosts.
  void read_webhooks() {
    const Tree* webhooks = check_.fields().find("webhooks");
    if (webhooks == nullptr) return;
    const Fields fields(*webhooks);
    server_.webhook_allow = fields.texts("allow");
    for (const Name& name : fields.names("allow")) {
      if (parse_address_range(name.text) || is_host_name(name.text)) continue;
      context_.diagnostics.error(name.location, below(part_.path, "webhooks.allow"),
                                 "'" + name.text + "'" +
                                     at_path(below(part_.path, "webhooks")) +
                                     " is no address, range or name of a host",
                                 "write 10.1.2.3, 10.0.0.0/8 or hooks.example.com");
    }
  }

  void read_listen() {
    const Fields& fields = check_.fields();
    if (fields.is_broken("listen")) return;
    const Name listen{
        fields.text("listen", server_.host + ":" + std::to_string(server_.port)),
        fields.place("listen")};
    const auto place = parse_host_port(listen.text);
    tell(listen, "listen", place);
    if (!place) return;
    server_.host = place->host;
    server_.port = place->port;
    if (place->is_loopback()) return;
    const bool is_encrypted =
        check_.is_written("tls") || check_.is_written("behind_proxy");
    if (!is_encrypted && !fields.has_unknown_keys()) {
      check_.fault("listen",
                   "other machines reach '" + listen.text + "'" + at_path(part_.path) +
                       ", and nothing is encrypted",
                   "add tls: {certificate, key}, or behind_proxy with the address of a "
                   "proxy that does TLS, or listen on 127.0.0.1");
    }
    if (server_.metrics_are_open) {
      check_.fault("metrics",
                   "metrics: OPEN" + at_path(part_.path) +
                       " is for loopback only, and '" + listen.text +
                       "' is reached by other machines",
                   "leave it out, and give the reader a token");
    }
  }

  const Part& part_;
  PartCheck check_;
  BuildContext& context_;
  Server server_;
};

}  // namespace

Server build_server(const Part& part, BuildContext& context) {
  return ServerBuilder(part, context).build();
}

}  // namespace lakemill::language
