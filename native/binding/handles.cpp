#include "binding/handles.h"

#include "error.h"

namespace z1 {

std::shared_ptr<Model> model_of(const Napi::Value & value) {
    const auto open = unwrap<OpenModel>(value);
    if (!open->model) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    return open->model;
}

Context & context_of(const Napi::Value & value) {
    const auto open = unwrap<OpenContext>(value);
    if (!open->context) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    return *open->context;
}

} // namespace z1
