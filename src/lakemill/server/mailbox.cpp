#include "lakemill/server/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace lakemill::server {

Result<std::shared_ptr<Mailbox>> Mailbox::open() {
  FileDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error("make an event descriptor");
  return std::make_shared<Mailbox>(std::move(event));
}

void Mailbox::post(Mail mail) {
  bool is_first = false;
  {
    const std::scoped_lock lock(mutex_);
    is_first = mails_.empty();
    mails_.push_back(std::move(mail));
  }
  if (is_first) wake();
}

void Mailbox::wake() {
  const std::uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof one);  // full means awake
}

std::vector<Mail> Mailbox::take() {
  std::uint64_t count = 0;
  (void)!::read(event_.get(), &count,
                sizeof count);  // before the mails: none is missed
  std::vector<Mail> mails;
  const std::scoped_lock lock(mutex_);
  mails.swap(mails_);
  return mails;
}

}  // namespace lakemill::server
