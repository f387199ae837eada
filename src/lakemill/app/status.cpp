#include "lakemill/app/status.h"

#include <algorithm>
#include <map>

#include "lakemill/base/text.h"
#include "lakemill/language/graph.h"

namespace lakemill::app {

namespace {

constexpr std::int64_t kNodesMax = 100'000;

// What the event log says of each node.
struct Told {
  std::optional<double> rows_per_second;
  bool is_failing = false;
  std::string last_error;
  std::optional<Instant> last_error_at;
};

std::string told_sql(const std::string& pipeline) {
  return "WITH told AS (SELECT \"node\", \"type\", \"time\", \"sequence\", "
         "\"message\", "
         "\"details\" FROM events WHERE \"pipeline\" = " +
         quote_literal(pipeline) +
         " AND \"type\" IN ('node_succeeded', 'node_skipped', 'node_failed', "
         "'retry')), "
         "ended AS (SELECT \"node\", arg_max(\"type\" IN ('node_failed', 'retry'), "
         "(\"time\", \"sequence\")) AS failing FROM told GROUP BY ALL), "
         "failed AS (SELECT \"node\", arg_max(\"message\", (\"time\", \"sequence\")) "
         "AS "
         "message, epoch_us(max(\"time\")) AS failed_at FROM told WHERE \"type\" IN "
         "('node_failed', 'retry') GROUP BY ALL), "
         "rounds AS (SELECT \"node\", CAST(json_extract_string(\"details\", "
         "'$.rows_in') AS BIGINT) AS in_rows, CAST(json_extract_string(\"details\", "
         "'$.seconds') AS DOUBLE) AS seconds, row_number() OVER (PARTITION BY \"node\" "
         "ORDER BY \"time\" DESC, \"sequence\" DESC) AS age FROM told WHERE \"type\" = "
         "'node_succeeded' AND CAST(json_extract_string(\"details\", '$.batches') AS "
         "BIGINT) > 0), "
         "rates AS (SELECT \"node\", sum(in_rows) / nullif(sum(seconds), 0) AS rate "
         "FROM "
         "rounds WHERE age <= " +
         std::to_string(kRateRounds) +
         " GROUP BY ALL) SELECT \"node\", failing, message, failed_at, CAST(rate AS "
         "DOUBLE) "
         "FROM ended LEFT JOIN failed USING (\"node\") LEFT JOIN rates USING "
         "(\"node\")";
}

Result<std::map<std::string, Told>> read_events(Workbench& workbench,
                                                const std::string& pipeline) {
  std::map<std::string, Told> told;
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto scan = log->scan();
  if (!scan) {
    if (scan.error().code() == ErrorCode::not_found) return told;
    return std::move(scan).error();
  }
  LAKEMILL_TRY(const auto session, workbench.engine().open_session(
                                       {workbench.clock().now(), 0, {}, {}, {}, {}}));
  LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{*std::move(scan)}));
  LAKEMILL_TRY(const data::Rows rows,
               session->query(told_sql(pipeline), engine::Origin::lakemill, kNodesMax));
  for (const auto& row : rows.rows) {
    Told& node = told[data::to_text(row[0])];
    const auto* failing = std::get_if<bool>(&row[1]);
    node.is_failing = failing != nullptr && *failing;
    if (!data::is_null(row[2])) node.last_error = data::to_text(row[2]);
    if (const auto* at = std::get_if<std::int64_t>(&row[3])) {
      node.last_error_at = Instant(std::chrono::microseconds(*at));
    }
    if (const auto* rate = std::get_if<double>(&row[4])) node.rows_per_second = *rate;
  }
  return told;
}

double waiting_seconds(const flow::FlowStatus& flow, Instant now) {
  double seconds = 0;
  for (const flow::SourceStatus& source : flow.sources) {
    if (!source.lag.oldest || *source.lag.oldest >= now) continue;
    seconds = std::max(seconds,
                       std::chrono::duration<double>(now - *source.lag.oldest).count());
  }
  return seconds;
}

}  // namespace

LagTotal total_lag(const flow::FlowStatus& flow) {
  LagTotal total;
  for (const flow::SourceStatus& source : flow.sources) {
    if (source.lag.rows) total.rows = total.rows.value_or(0) + *source.lag.rows;
    if (source.lag.bytes) total.bytes = total.bytes.value_or(0) + *source.lag.bytes;
  }
  return total;
}

Result<std::vector<NodeStatusLine>> status(Workbench& workbench,
                                           const language::Pipeline& pipeline,
                                           const std::vector<std::string>& selectors) {
  LAKEMILL_TRY(const flow::Workspace workspace, workbench.workspace(pipeline));
  LAKEMILL_TRY(const auto nodes, language::select_nodes(pipeline, selectors));
  workspace.postgres->look_only();
  LAKEMILL_TRY(const auto told, read_events(workbench, pipeline.name));
  std::vector<NodeStatusLine> lines;
  for (const std::string& name : nodes) {
    const language::Node& node = *pipeline.find_node(name);
    if (node.is_view()) continue;
    NodeStatusLine line;
    line.flow.node = name;
    auto flow = flow::flow_status(workspace, node);
    if (flow) {
      line.flow = *std::move(flow);
    } else {
      line.error = std::move(flow).error();
    }
    line.lag_seconds = waiting_seconds(line.flow, workbench.clock().now());
    if (const auto found = told.find(name); found != told.end()) {
      line.rows_per_second = found->second.rows_per_second;
      line.is_failing = found->second.is_failing;
      line.last_error = found->second.last_error;
      line.last_error_at = found->second.last_error_at;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace lakemill::app
