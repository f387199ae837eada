#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "lakemill/cli/commands.h"
#include "lakemill/language/keys.h"

namespace lakemill::cli {

namespace {

struct NewFile {
  const char* path;
  const char* content;
};

// A project that runs as it is: two small files through bronze, silver and gold.
constexpr std::array kFiles = {
    NewFile{"lakemill.yaml",
            "name: my-lakehouse\n"
            "root: lake\n"
            "pipelines:\n"
            "- pipelines/*.yaml\n"},
    NewFile{".gitignore", "/lake/\n"},
    NewFile{"data/orders/2024-01-01.csv",
            "order_id,customer,amount,ordered_at\n"
            "1,ada,12.50,2024-01-01 09:30:00\n"
            "2,grace,7.00,2024-01-01 10:00:00\n"
            "3,ada,-1.00,2024-01-01 11:15:00\n"},
    NewFile{"data/orders/2024-01-02.csv",
            "order_id,customer,amount,ordered_at\n"
            "4,edsger,30.25,2024-01-02 08:00:00\n"
            "5,grace,4.75,2024-01-02 17:45:00\n"},
    NewFile{
        "pipelines/orders.yaml",
        "# yaml-language-server: $schema=../.lakemill/schema.json\n"
        "name: orders\n"
        "\n"
        "nodes:\n"
        "# Bronze: the files as they came, with where and when. A second run adds "
        "only\n"
        "# new files.\n"
        "- name: brz_orders\n"
        "  layer: BRONZE\n"
        "  source:\n"
        "    path: ../data/orders/*.csv\n"
        "    format: CSV\n"
        "  sinks:\n"
        "  - table_name: orders\n"
        "\n"
        "# Silver: typed and checked. What fails a check is kept apart.\n"
        "- name: slv_orders\n"
        "  layer: SILVER\n"
        "  source:\n"
        "    node_name: brz_orders\n"
        "    as_stream: true\n"
        "  transformer:\n"
        "    nodes:\n"
        "    - expr: |\n"
        "        SELECT order_id::BIGINT AS order_id,\n"
        "               customer,\n"
        "               amount::DECIMAL(10, 2) AS amount,\n"
        "               ordered_at::TIMESTAMP AS ordered_at\n"
        "        FROM {df}\n"
        "  expectations:\n"
        "  - name: amount_is_positive\n"
        "    expr: amount > 0\n"
        "    action: QUARANTINE\n"
        "  - name: one_row_per_order\n"
        "    type: UNIQUE\n"
        "    columns: [order_id]\n"
        "    action: FAIL\n"
        "  sinks:\n"
        "  - table_name: orders\n"
        "  - table_name: orders_quarantine\n"
        "    is_quarantine: true\n"
        "\n"
        "# Gold: what people look at.\n"
        "- name: gld_revenue\n"
        "  layer: GOLD\n"
        "  source:\n"
        "    node_name: slv_orders\n"
        "  transformer:\n"
        "    nodes:\n"
        "    - expr: |\n"
        "        SELECT ordered_at::DATE AS day, count(*) AS orders,\n"
        "               sum(amount) AS revenue\n"
        "        FROM {df} GROUP BY ALL\n"
        "  sinks:\n"
        "  - table_name: revenue_by_day\n"
        "\n"
        "tests:\n"
        "- name: negative_amounts_are_quarantined\n"
        "  node: slv_orders\n"
        "  given:\n"
        "    brz_orders:\n"
        "    - {order_id: '1', customer: ada, amount: '5', ordered_at: '2024-01-01'}\n"
        "    - {order_id: '2', customer: bob, amount: '-5', ordered_at: '2024-01-01'}\n"
        "  expect:\n"
        "  - {order_id: 1, customer: ada, amount: 5.00}\n"
        "  expect_quarantine:\n"
        "  - {order_id: 2}\n"},
};

Status write_file(const std::filesystem::path& path, const std::string& content) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file) return Error(ErrorCode::denied, "cannot write " + path.string());
  return {};
}

}  // namespace

int init_command(const std::string& folder, bool json) {
  const std::filesystem::path root(folder.empty() ? "." : folder);
  if (std::filesystem::exists(root / "lakemill.yaml")) {
    return report_error(
        Error(ErrorCode::exists, (root / "lakemill.yaml").string() + " exists already"),
        json);
  }
  for (const NewFile& file : kFiles) {
    const auto written = write_file(root / file.path, file.content);
    if (!written) return report_error(written.error(), json);
  }
  const auto schema = write_file(root / ".lakemill/schema.json",
                                 language::json_schema().dump(2) + "\n");
  if (!schema) return report_error(schema.error(), json);
  std::printf(
      "A new project is in %s. Next:\n"
      "  cd %s\n"
      "  lakemill plan\n"
      "  lakemill run\n"
      "  lakemill query \"SELECT * FROM main.gold.revenue_by_day\"\n",
      root.c_str(), root.c_str());
  return kSuccess;
}

}  // namespace lakemill::cli
