#include "lakemill/base/process_identity.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lakemill {
namespace {

TEST(ProcessIdentity, TellsWhoLives) {
  const Json mine = this_process();
  EXPECT_EQ(life_of(mine), ProcessLife::alive);
  Json other = mine;
  other["machine"] = "another";
  EXPECT_EQ(life_of(other), ProcessLife::elsewhere);
  other = mine;
  other["process_start"] = "1";  // the number went to another process
  EXPECT_EQ(life_of(other), ProcessLife::gone);
  EXPECT_EQ(life_of(Json::object()), ProcessLife::elsewhere);
}

TEST(ProcessIdentity, TellsThatAProcessIsGone) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string text = json_text(this_process());
    const auto written = ::write(told[1], text.data(), text.size());
    ::close(told[1]);
    if (written > 0) ::pause();
    ::_exit(1);
  }
  ::close(told[1]);
  std::string text(4'096, '\0');
  text.resize(static_cast<std::size_t>(
      std::max<::ssize_t>(0, ::read(told[0], text.data(), text.size()))));
  ::close(told[0]);
  const auto mark = parse_json(text);
  ASSERT_TRUE(mark);
  EXPECT_EQ(life_of(*mark), ProcessLife::alive);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(life_of(*mark), ProcessLife::gone);
}

}  // namespace
}  // namespace lakemill
