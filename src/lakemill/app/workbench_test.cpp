#include "lakemill/app/workbench.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lakemill/testing/temporary_folder.h"

namespace lakemill::app {
namespace {

class WorkbenchSettings : public testing::Test {
 protected:
  void SetUp() override {
    put("lakemill.yaml",
        "name: proj\npipelines: [a.yaml, b.yaml]\n"
        "engine: {memory_limit: 200MB, threads: 2}\n");
    put("a.yaml",
        "name: a\nengine: {threads: 3, temporary_folder: ./here}\nnodes:\n"
        "- {name: n, sources: [{data: {x: [1]}}], sinks: [{path: ./a, format: "
        "DELTA}]}\n");
    put("b.yaml",
        "name: b\nnodes:\n"
        "- {name: n, sources: [{data: {x: [1]}}], sinks: [{path: ./b, format: "
        "DELTA}]}\n");
  }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

  std::unique_ptr<Workbench> open(const std::string& pipeline) const {
    OpenRequest request;
    request.pipeline = pipeline;
    request.working_folder = folder_;
    language::Diagnostics diagnostics;
    auto workbench = Workbench::open(request, diagnostics);
    EXPECT_TRUE(workbench.has_value()) << diagnostics.to_text();
    return workbench ? *std::move(workbench) : nullptr;
  }

  static std::string setting(engine::Engine& engine, const std::string& name) {
    const auto session = engine.open_session({});
    EXPECT_TRUE(session.has_value());
    const auto rows = (*session)->query(
        "SELECT current_setting('" + name + "')::VARCHAR", engine::Origin::lakemill, 1);
    EXPECT_TRUE(rows.has_value());
    return rows ? data::to_text(rows->rows.at(0).at(0)) : "";
  }

  testkit::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
};

TEST_F(WorkbenchSettings, OfAPipelineWinOverThoseOfTheProject) {
  const auto workbench = open("");
  ASSERT_NE(workbench, nullptr);
  ASSERT_EQ(workbench->pipelines().size(), 2U);
  const auto a = workbench->workspace(workbench->pipelines()[0]);
  const auto b = workbench->workspace(workbench->pipelines()[1]);
  ASSERT_TRUE(a.has_value());
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(setting(a->engine, "threads"), "3");
  EXPECT_EQ(setting(b->engine, "threads"), "2");
  EXPECT_EQ(setting(workbench->engine(), "threads"), "2");
  EXPECT_EQ(setting(a->engine, "memory_limit"), "200.0 MiB");
  EXPECT_THAT(setting(a->engine, "temp_directory"),
              testing::StartsWith(folder_ + "/here/"));
}

TEST_F(WorkbenchSettings, OfTheOnlyPipelineHoldForAllThatIsDone) {
  const auto workbench = open("a");
  ASSERT_NE(workbench, nullptr);
  EXPECT_EQ(setting(workbench->engine(), "threads"), "3");
}

TEST_F(WorkbenchSettings, GiveEnginesThatDoNotMeetWhereTheySpill) {
  const auto one = open("a");
  const auto two = open("a");
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_NE(setting(one->engine(), "temp_directory"),
            setting(two->engine(), "temp_directory"));
}

}  // namespace
}  // namespace lakemill::app
