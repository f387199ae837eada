#include "lakemill/app/secret_engine.h"

#include "lakemill/engine/table_commit.h"

namespace lakemill::app {

namespace {

using Options = std::map<std::string, std::string>;

Status resolve(Options& options, Secrets& secrets) {
  for (auto& [name, value] : options) {
    LAKEMILL_TRY(value, secrets.in_text(value));
  }
  return {};
}

class SecretSession : public engine::Session {
 public:
  SecretSession(std::unique_ptr<engine::Session> inner, Secrets& secrets)
      : inner_(std::move(inner)), secrets_(secrets) {}

  Status bind(std::string_view name, engine::Relation relation) override {
    if (auto* files = std::get_if<engine::FilesRelation>(&relation)) {
      LAKEMILL_TRY_OK(resolve(files->options, secrets_));
    }
    return hidden(inner_->bind(name, std::move(relation)));
  }

  Status bind_query(std::string_view name, std::string_view sql,
                    engine::Origin origin) override {
    LAKEMILL_TRY(const std::string text, with_secrets(sql, origin));
    if (text != sql) LAKEMILL_TRY_OK(check_names(text, origin));
    return hidden(inner_->bind_query(name, text, origin));
  }

  Result<bool> bind_carrying(std::string_view name, std::string_view sql,
                             std::string_view column, engine::Origin origin) override {
    LAKEMILL_TRY(const std::string text, with_secrets(sql, origin));
    if (text != sql) LAKEMILL_TRY_OK(check_names(text, origin));
    return hidden(inner_->bind_carrying(name, text, column, origin));
  }

  Result<engine::QueryShape> describe(std::string_view sql,
                                      engine::Origin origin) override {
    LAKEMILL_TRY(const std::string text, with_secrets(sql, origin));
    return hidden(inner_->describe(text, origin));
  }

  Result<data::Rows> query(std::string_view sql, engine::Origin origin,
                           std::int64_t rows_max) override {
    LAKEMILL_TRY(const std::string text, with_secrets(sql, origin));
    return hidden(inner_->query(text, origin, rows_max));
  }

  Result<std::vector<engine::FileRows>> query_positions(std::string_view sql) override {
    return hidden(inner_->query_positions(sql));
  }

  Result<engine::WriteResult> write(const engine::WriteSpec& spec) override {
    engine::WriteSpec resolved = spec;
    for (auto& check : resolved.checks) {
      LAKEMILL_TRY(check.predicate, secrets_.in_sql(check.predicate));
    }
    if (auto* file = std::get_if<engine::FileTarget>(&resolved.target)) {
      LAKEMILL_TRY_OK(resolve(file->options, secrets_));
    }
    if (resolved.quarantine) {
      auto* file = std::get_if<engine::FileTarget>(&*resolved.quarantine);
      if (file != nullptr) LAKEMILL_TRY_OK(resolve(file->options, secrets_));
    }
    return hidden(inner_->write(resolved));
  }

 protected:
  template <typename Outcome>
  Outcome hidden(Outcome outcome) {
    if (outcome) return outcome;
    return secrets_.hide(outcome.error());
  }

 private:
  // A column without a name of its own is called by its expression, secret and all, and
  // the names of columns are stored.
  Status check_names(const std::string& sql, engine::Origin origin) {
    const auto shape = inner_->describe(sql, origin);
    if (!shape) return {};  // told where it is bound
    for (const data::Field& field : shape->schema.fields) {
      if (!secrets_.tells(field.name)) continue;
      return Error(ErrorCode::invalid,
                   "the name of the column " + secrets_.hide(field.name) +
                       " would hold the value of a secret, and names of columns are "
                       "stored; give the expression a name with AS");
    }
    return {};
  }

  // What is not a pipeline's own text may hold data, which names no secrets.
  Result<std::string> with_secrets(std::string_view sql, engine::Origin origin) {
    if (origin != engine::Origin::pipeline) return std::string(sql);
    return secrets_.in_sql(sql);
  }

  std::unique_ptr<engine::Session> inner_;
  Secrets& secrets_;
};

// Of an engine that commits to tables by itself.
class SecretCommitter final : public SecretSession, public engine::TableCommitter {
 public:
  SecretCommitter(std::unique_ptr<engine::Session> inner,
                  engine::TableCommitter& committer, Secrets& secrets)
      : SecretSession(std::move(inner), secrets), committer_(committer) {}

  Status commit_table(std::string_view sql,
                      const engine::TableCommit& commit) override {
    return hidden(committer_.commit_table(sql, commit));
  }

 private:
  engine::TableCommitter& committer_;  // the inner session, as such
};

class SecretEngine final : public engine::Engine {
 public:
  SecretEngine(engine::Engine& inner, Secrets& secrets)
      : inner_(inner), secrets_(secrets) {}

  Result<std::unique_ptr<engine::Session>> open_session(
      engine::SessionOptions options) override {
    LAKEMILL_TRY(auto session, inner_.open_session(std::move(options)));
    using Made = std::unique_ptr<engine::Session>;
    if (auto* committer = dynamic_cast<engine::TableCommitter*>(session.get())) {
      return Made(
          std::make_unique<SecretCommitter>(std::move(session), *committer, secrets_));
    }
    return Made(std::make_unique<SecretSession>(std::move(session), secrets_));
  }

  Result<data::Schema> schema_of(const engine::FilesRelation& files) override {
    engine::FilesRelation resolved = files;
    LAKEMILL_TRY_OK(resolve(resolved.options, secrets_));
    auto schema = inner_.schema_of(resolved);
    if (!schema) return secrets_.hide(schema.error());
    return schema;
  }

 private:
  engine::Engine& inner_;
  Secrets& secrets_;
};

}  // namespace

std::unique_ptr<engine::Engine> make_secret_engine(engine::Engine& inner,
                                                   Secrets& secrets) {
  return std::make_unique<SecretEngine>(inner, secrets);
}

}  // namespace lakemill::app
