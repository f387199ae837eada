#include "lakemill/notify/command_target.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lakemill/base/json.h"
#include "lakemill/notify/fed_event_test.h"
#include "lakemill/testing/matchers.h"
#include "lakemill/testing/temporary_folder.h"

namespace lakemill::notify {
namespace {

using testkit::HasError;
using testkit::IsOk;

class CommandTarget : public ::testing::Test {
 protected:
  DeliveryOutcome run(std::vector<std::string> words) {
    options_.words = std::move(words);
    options_.folder = folder_.path();
    options_.source = "/lakemill/shop";
    auto target = make_command_target(options_);
    EXPECT_THAT(target, IsOk());
    const auto event = fed_event(3, "pipeline/orders");
    return target.value()->deliver({event, 2}, stop_.get_token());
  }
  std::string file(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_.at(name)).rdbuf();
    return text.str();
  }

  testkit::TemporaryFolder folder_;
  CommandOptions options_;
  std::stop_source stop_;
};

TEST_F(CommandTarget, GivesTheEventToALineForTheShell) {
  EXPECT_EQ(run({"cat > got.json; echo \"$LAKEMILL_EVENT_ID $LAKEMILL_EVENT_TYPE "
                 "$LAKEMILL_ATTEMPT\" > names"})
                .verdict,
            Verdict::delivered);
  const auto event = parse_json(file("got.json"));
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event.value()["type"], "lakemill.run_failed");
  EXPECT_EQ(file("names"), "w-3 run_failed 2\n");
}

TEST_F(CommandTarget, LeavesTheWordsOfAListAsTheyAre) {
  EXPECT_EQ(run({"cp", "/dev/stdin", "a; touch b $(touch c)"}).verdict,
            Verdict::delivered);
  EXPECT_NE(file("a; touch b $(touch c)"), "");
  EXPECT_FALSE(std::ifstream(folder_.at("b")).good());
  EXPECT_FALSE(std::ifstream(folder_.at("c")).good());
}

TEST_F(CommandTarget, SaysHowAProgramEnded) {
  const auto failed = run({"echo out; echo err >&2; exit 3"});
  EXPECT_EQ(failed.verdict, Verdict::again);
  EXPECT_NE(failed.error.find("ended with status 3: out\nerr"), std::string::npos);
  const auto killed = run({"kill -TERM $$"});
  EXPECT_EQ(killed.verdict, Verdict::again);
  EXPECT_NE(killed.error.find("killed by signal 15"), std::string::npos);
  EXPECT_TRUE(killed.error.starts_with("the command was killed")) << killed.error;
  const auto absent = run({"lakemill-no-such-program", "x"});
  EXPECT_EQ(absent.verdict, Verdict::again);
  EXPECT_NE(absent.error.find("does not start"), std::string::npos);
}

TEST_F(CommandTarget, KeepsTheEndOfWhatIsPrinted) {
  options_.output_bytes_max = 100;
  const auto outcome =
      run({"i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1"});
  EXPECT_NE(outcome.error.find("line 19999"), std::string::npos);
  EXPECT_LT(outcome.error.size(), 400U);
}

TEST_F(CommandTarget, WaitsForNoProgramThatReadsNothing) {
  EXPECT_EQ(run({"true", "x"}).verdict, Verdict::delivered);
}

TEST_F(CommandTarget, KillsWhatTakesTooLongWithAllItStarted) {
  options_.timeout = std::chrono::milliseconds(300);
  const auto outcome = run({"echo $$ > pid; sh -c 'echo $$ > inner; sleep 600' & wait"});
  EXPECT_EQ(outcome.verdict, Verdict::again);
  EXPECT_NE(outcome.error.find("took longer than 300 ms"), std::string::npos);
  const auto inner = static_cast<pid_t>(std::atoi(file("inner").c_str()));
  ASSERT_GT(inner, 0);
  // Gone, or a zombie that nobody has waited for yet.
  std::string state = "R";
  for (int look = 0; look < 1'000 && state != "" && state != "Z"; ++look) {
    std::ifstream stat("/proc/" + std::to_string(inner) + "/stat");
    std::string word;
    state = stat >> word >> word >> word ? word : "";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(state.empty() || state == "Z") << state;
}

TEST_F(CommandTarget, EndsAtAStop) {
  std::jthread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop_.request_stop();
  });
  const auto outcome = run({"sleep", "600"});
  EXPECT_EQ(outcome.verdict, Verdict::again);
  EXPECT_NE(outcome.error.find("was stopped"), std::string::npos);
}

// A program that puts another one into the background ends when it ends.
TEST_F(CommandTarget, WaitsForNoProgramInTheBackground) {
  options_.timeout = std::chrono::milliseconds(60'000);
  EXPECT_EQ(run({"sleep 5 & exit 0"}).verdict, Verdict::delivered);
}

TEST_F(CommandTarget, KeepsEnvironmentAndFilesToItself) {
  ::setenv("CANARY", "canary", 1);
  const int open = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GT(open, 2);
  EXPECT_EQ(run({"env > env; ls /proc/$$/fd > fds"}).verdict, Verdict::delivered);
  ::unsetenv("CANARY");
  (void)::close(open);
  EXPECT_EQ(file("env").find("canary"), std::string::npos);
  EXPECT_NE(file("env").find("PATH="), std::string::npos);
  EXPECT_EQ(file("fds").find(std::to_string(open) + "\n"), std::string::npos)
      << file("fds");
}

TEST_F(CommandTarget, NeedsWords) {
  EXPECT_THAT(make_command_target({}), HasError(ErrorCode::invalid, "no words"));
}

}  // namespace
}  // namespace lakemill::notify
