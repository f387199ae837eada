#include "lakemill/testing/crashing_store.h"

#include <utility>

#include "lakemill/storage/path.h"

namespace lakemill::testkit {

namespace {

Error dead() { return {ErrorCode::unavailable, "process died"}; }

}  // namespace

/// Counts calls and decides what happens to each.
class CrashingStoreProvider::Control {
 public:
  explicit Control(FaultPlan plan) : plan_(std::move(plan)) {}

  // What is to happen to this call; `die_before` too for every call of the dead.
  Fault begin(std::string what) {
    {
      const std::lock_guard lock(mutex_);
      if (died_) return Fault::die_before;
      const bool here = static_cast<std::int64_t>(trace_.size()) == plan_.at_call;
      trace_.push_back(std::move(what));
      if (!here) return Fault::none;
      died_ = plan_.fault == Fault::die_before || plan_.fault == Fault::die_after;
    }
    if (plan_.meanwhile) plan_.meanwhile();
    return plan_.fault;
  }

  bool died() const {
    const std::lock_guard lock(mutex_);
    return died_;
  }
  std::vector<std::string> trace() const {
    const std::lock_guard lock(mutex_);
    return trace_;
  }

 private:
  const FaultPlan plan_;
  mutable std::mutex mutex_;
  std::vector<std::string> trace_;  // guarded by mutex_
  bool died_ = false;               // guarded by mutex_
};

namespace {

using Control = CrashingStoreProvider::Control;

// Runs `act` as the control decides. `lost` is the code of a lost answer.
template <typename Act>
auto pass(Control& control, std::string what, ErrorCode lost, Act act)
    -> decltype(act()) {
  switch (control.begin(std::move(what))) {
    case Fault::none:
      return act();
    case Fault::die_before:
      return dead();
    case Fault::refuse:
      return Error(ErrorCode::unavailable, "injected: refused");
    case Fault::die_after: {
      (void)act();  // the caller is dead: nobody hears the answer
      return dead();
    }
    case Fault::lose_answer: {
      auto answer = act();  // an error of its own is as good as a lost answer
      if (!answer) return answer;
      return Error(lost, "injected: the answer was lost");
    }
  }
  return act();
}

class CrashingWriter final : public storage::ObjectWriter {
 public:
  CrashingWriter(std::unique_ptr<storage::ObjectWriter> inner,
                 std::shared_ptr<Control> control, std::string place)
      : inner_(std::move(inner)),
        control_(std::move(control)),
        place_(std::move(place)) {}

  Status append(std::string_view bytes) override {
    return pass(*control_, "append " + place_, ErrorCode::unavailable,
                [&] { return inner_->append(bytes); });
  }
  Status finish() override {
    return pass(*control_, "finish " + place_, ErrorCode::unknown,
                [&] { return inner_->finish(); });
  }

 private:
  std::unique_ptr<storage::ObjectWriter> inner_;
  std::shared_ptr<Control> control_;
  std::string place_;
};

class CrashingStore final : public storage::ObjectStore {
 public:
  CrashingStore(std::shared_ptr<storage::ObjectStore> inner,
                std::shared_ptr<Control> control)
      : inner_(std::move(inner)), control_(std::move(control)) {}

  const std::string& url() const override { return inner_->url(); }

  Result<std::string> get(std::string_view path) override {
    return read("get", path, [&] { return inner_->get(path); });
  }
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override {
    return read("get_range", path,
                [&] { return inner_->get_range(path, offset, size); });
  }
  Result<storage::ObjectInfo> head(std::string_view path) override {
    return read("head", path, [&] { return inner_->head(path); });
  }
  Result<std::vector<storage::ObjectInfo>> list(std::string_view prefix,
                                                std::string_view start_after) override {
    return read("list", prefix, [&] { return inner_->list(prefix, start_after); });
  }
  Result<std::vector<std::string>> list_folders(std::string_view folder) override {
    return read("list_folders", folder, [&] { return inner_->list_folders(folder); });
  }
  Status put_if_absent(std::string_view path, std::string_view bytes) override {
    return write("put_if_absent", path,
                 [&] { return inner_->put_if_absent(path, bytes); });
  }
  Status put(std::string_view path, std::string_view bytes) override {
    return write("put", path, [&] { return inner_->put(path, bytes); });
  }
  Status remove(std::string_view path) override {
    return write("remove", path, [&] { return inner_->remove(path); });
  }
  Result<std::unique_ptr<storage::ObjectWriter>> create(
      std::string_view path) override {
    return read("create", path, [&] { return wrapped(path); });
  }

 private:
  std::string place(std::string_view path) const {
    return storage::join_path(url(), path);
  }
  template <typename Act>
  auto read(std::string_view method, std::string_view path, Act act)
      -> decltype(act()) {
    return pass(*control_, std::string(method) + " " + place(path),
                ErrorCode::unavailable, act);
  }
  template <typename Act>
  auto write(std::string_view method, std::string_view path, Act act)
      -> decltype(act()) {
    return pass(*control_, std::string(method) + " " + place(path), ErrorCode::unknown,
                act);
  }
  Result<std::unique_ptr<storage::ObjectWriter>> wrapped(std::string_view path) {
    LAKEMILL_TRY(auto writer, inner_->create(path));
    return std::unique_ptr<storage::ObjectWriter>(
        std::make_unique<CrashingWriter>(std::move(writer), control_, place(path)));
  }

  std::shared_ptr<storage::ObjectStore> inner_;
  std::shared_ptr<Control> control_;
};

}  // namespace

CrashingStoreProvider::CrashingStoreProvider(storage::StoreProvider& inner,
                                             FaultPlan plan)
    : inner_(inner), control_(std::make_shared<Control>(plan)) {}

CrashingStoreProvider::~CrashingStoreProvider() = default;

Result<std::shared_ptr<storage::ObjectStore>> CrashingStoreProvider::open(
    std::string_view url) {
  if (control_->died()) return dead();
  LAKEMILL_TRY(auto store, inner_.open(url));
  return std::shared_ptr<storage::ObjectStore>(
      std::make_shared<CrashingStore>(std::move(store), control_));
}

std::int64_t CrashingStoreProvider::calls() const {
  return static_cast<std::int64_t>(control_->trace().size());
}

bool CrashingStoreProvider::died() const { return control_->died(); }

std::vector<std::string> CrashingStoreProvider::trace() const {
  return control_->trace();
}

}  // namespace lakemill::testkit
