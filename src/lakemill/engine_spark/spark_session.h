#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lakemill/engine/table_commit.h"
#include "lakemill/engine_spark/connect_client.h"
#include "lakemill/engine_spark/spark_engine.h"
#include "lakemill/engine_spark/spark_relations.h"
#include "lakemill/engine_spark/spark_sql.h"

namespace lakemill::engine_spark {

/// engine::Session over one session of Spark.
///
/// Not thread-safe. Every bound name is bound in a session of the embedded engine too,
/// which answers describe(). Views are kept here until the first statement runs.
class SparkSession final : public engine::Session, public engine::TableCommitter {
 public:
  /// `services` and `options` must outlive it.
  static Result<std::unique_ptr<engine::Session>> open(const SparkOptions& options,
                                                       SparkServices services,
                                                       engine::SessionOptions session);
  ~SparkSession() override;

  Status bind(std::string_view name, engine::Relation relation) override;
  Status bind_query(std::string_view name, std::string_view sql,
                    engine::Origin origin) override;
  Result<engine::QueryShape> describe(std::string_view sql,
                                      engine::Origin origin) override;
  Result<data::Rows> query(std::string_view sql, engine::Origin origin,
                           std::int64_t rows_max) override;
  Result<std::vector<engine::FileRows>> query_positions(std::string_view sql) override;
  Result<engine::WriteResult> write(const engine::WriteSpec& spec) override;
  Status commit_table(std::string_view sql, const engine::TableCommit& commit) override;

 private:
  SparkSession(const SparkOptions& options, SparkServices services,
               engine::SessionOptions session, std::unique_ptr<engine::Session> front);

  // spark_session.cpp
  Result<std::string> translate(std::string_view sql, engine::Origin origin);
  Result<std::string> table_sql(const TableReference& reference);
  Result<std::string> table_at(const std::string& url, const std::string& full_name,
                               std::optional<std::int64_t> version);
  Status check_whole(const engine::Relation& relation);
  std::string new_view(std::string_view name);
  Status ready();
  Status run_sql(const std::string& sql);
  Result<data::Rows> fetch(const std::string& spark_sql, const data::Schema& schema,
                           std::int64_t rows_max);

  // spark_write.cpp
  Result<engine::WriteResult> stage(const engine::WriteSpec& spec);
  Status check_predicates(const engine::WriteSpec& spec);
  Status bind_staged(const engine::WriteTarget& target, const data::Schema& schema,
                     const std::string& spark_sql);
  Status create_table(const engine::TableCommit& target, const std::string& rows);
  Status write_table(const engine::TableCommit& target, const std::string& rows);

  const SparkOptions& options_;
  SparkServices services_;
  const engine::SessionOptions session_;
  std::unique_ptr<engine::Session> front_;
  std::unique_ptr<ConnectClient> client_;          // null until something runs
  std::map<std::string, std::string> view_names_;  // bound name in lower case → view
  std::vector<SparkView> waiting_;                 // views that Spark does not know yet
  std::vector<std::string> cached_;                // views that Spark keeps on disk
  int view_count_ = 0;
};

}  // namespace lakemill::engine_spark
