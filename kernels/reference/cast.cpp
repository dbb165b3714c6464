#include "kernels/reference/cast.hpp"

#include "kernels/reference/convert.hpp"

namespace shoal::reference {

void cast(const const_view& in, const view& out) {
  const auto count = stored_elements(in.dims, in.format);
  visit_dtype(in.type, [&]<class From>(std::type_identity<From>) {
    const From* from = in.as<From>();
    visit_dtype(out.type, [&]<class To>(std::type_identity<To>) {
      To* to = out.as<To>();
      for (std::int64_t i = 0; i < count; ++i) to[i] = convert<To>(from[i]);
    });
  });
}

} // namespace shoal::reference
