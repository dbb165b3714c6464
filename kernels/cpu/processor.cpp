#include "kernels/cpu/processor.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <fstream>
#include <sstream>

namespace shoal::kernels {
namespace {

std::string name_of_processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 1);
  return " unknown";
}

} // namespace

std::string processor() {
  const auto* library = dnnl::version();
  std::ostringstream text;
  text << "processor" << name_of_processor() << ", oneDNN " << library->major << '.'
       << library->minor << '.' << library->patch << ' ' << library->hash << " with instructions "
       << std::hex << static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return text.str();
}

} // namespace shoal::kernels
