#include "binding/errors.h"

#include "engine/request/text.h"
#include "error.h"

#include <new>

namespace z1 {

Napi::Error to_js_error(Napi::Env env, const std::exception_ptr & thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error & error) {
        Napi::Error js_error = Napi::Error::New(env, to_well_formed(error.what()));
        js_error.Set("code", to_string(error.code));
        return js_error;
    } catch (const Napi::Error & error) {
        return error;
    } catch (const std::bad_alloc &) {
        Napi::Error js_error = Napi::Error::New(env, "Out of memory");
        js_error.Set("code", to_string(ErrorCode::OUT_OF_MEMORY));
        return js_error;
    } catch (const std::exception & error) {
        return Napi::Error::New(env, to_well_formed(error.what()));
    } catch (...) {
        return Napi::Error::New(env, "Unknown native error");
    }
}

void guarded_call(Napi::Env env, const std::function<void()> & call) {
    try {
        call();
    } catch (const Napi::Error & error) {
        // Fails, and may fail, when a worker is being terminated.
        napi_fatal_exception(env, error.Value());
    } catch (...) {
        napi_fatal_exception(env, to_js_error(env, std::current_exception()).Value());
    }
}

} // namespace z1
