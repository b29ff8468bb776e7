#include "llama/engine.h"

#include "error.h"
#include "llama/engine-call.h"
#include "llama/library.h"
#include "z1-versions.h"

#include <algorithm>
#include <mutex>

namespace z1 {

namespace fs = std::filesystem;

namespace {

// The part of a library's file name that says what it is: "libggml-cpu-haswell.so" → "ggml-cpu-haswell",
// "libllama.v0.5.0.so" → "llama"; empty for other files.
std::string library_stem(const fs::path & file) {
    std::string name = to_utf8(file.filename());
    if (!Library::is_library(name)) {
        return "";
    }
    if (name.rfind("lib", 0) == 0) {
        name.erase(0, 3);
    }
    return name.substr(0, name.find('.'));
}

std::vector<fs::path> libraries_in(const fs::path & directory) {
    std::vector<fs::path> files;
    for (const auto & entry : fs::directory_iterator(directory)) {
        if (!library_stem(entry.path()).empty()) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool is_cpu_backend(const fs::path & file) {
    return library_stem(file).starts_with("ggml-cpu");
}

fs::path libllama_in(const fs::path & directory) {
    for (const fs::path & file : libraries_in(directory)) {
        if (library_stem(file) == "llama") {
            return file;
        }
    }
    throw Error(ErrorCode::ENGINE_NOT_FOUND, "No libllama in " + to_utf8(directory));
}

Library open_libllama(const fs::path & file) {
    try {
        return Library::open(file);
    } catch (const std::runtime_error & reason) {
        throw Error(ErrorCode::ENGINE_NOT_FOUND, "Cannot open " + to_utf8(file) + ": " + reason.what());
    }
}

// How well a CPU variant suits this processor: 0 = not at all, more is better (ggml-backend-impl.h,
// ggml_backend_score_t). A library that does not say is taken to fit.
int score_of(const fs::path & file) {
    Library library = Library::open(file);
    const auto score = reinterpret_cast<int (*)()>(library.symbol("ggml_backend_score"));
    const int value = score ? score() : 1;
    library.close();
    return value;
}

// A library that lacks its driver fails to load as a whole, with the name of what is missing.
void try_backend(const fs::path & directory, const std::string & backend) {
    for (const fs::path & file : libraries_in(directory)) {
        if (library_stem(file) == "ggml-" + backend) {
            try {
                Library::open(file).close();
                return;
            } catch (const std::runtime_error & reason) {
                throw Error(ErrorCode::ENGINE_NOT_FOUND, "Cannot open " + to_utf8(file) + ": " + reason.what());
            }
        }
    }
    throw Error(ErrorCode::ENGINE_NOT_FOUND, "No " + backend + " backend in " + to_utf8(directory));
}

std::mutex open_mutex;
// Never destroyed: contexts may still run on it when static destructors do.
const Engine * engine = nullptr;

bool same_file(const fs::path & a, const fs::path & b) {
    std::error_code ignored;
    return fs::equivalent(a, b, ignored);
}

} // namespace

const Engine * Engine::opened() {
    std::lock_guard lock(open_mutex);
    return engine;
}

const Engine & Engine::open(const fs::path & directory, const std::string & backend) {
    std::lock_guard lock(open_mutex);
    std::error_code failed;
    if (!fs::is_directory(directory, failed)) {
        throw Error(ErrorCode::ENGINE_NOT_FOUND, "No engine directory at " + to_utf8(directory));
    }
    if (!engine) {
        if (!backend.empty()) {
            try_backend(directory, backend);
        }
        engine = new Engine(fs::canonical(directory));
    }
    if (!same_file(engine->directory, directory)) {
        throw Error(ErrorCode::ENGINE_CONFLICT, "The engine in " + to_utf8(engine->directory) +
                                                    " is open in this process; a second one from " +
                                                    to_utf8(directory) + " cannot be opened beside it");
    }
    return *engine;
}

Engine::Engine(const fs::path & directory) : directory(directory) {
    const fs::path file = libllama_in(directory);
    // Before libllama is opened: its C++ symbols make it stay in the process (STB_GNU_UNIQUE), close() or not.
    const fs::path cpu = best_cpu();
    Library library = open_libllama(file);
    try {
#define X(name)                                                                                                  \
    api.name = reinterpret_cast<decltype(api.name)>(library.symbol(#name));                                      \
    if (!api.name) {                                                                                             \
        throw Error(ErrorCode::ENGINE_MISMATCH, "The engine in " + to_utf8(directory) +                          \
                                                    " has no " #name ": it is not llama.cpp " Z1_LLAMA_RELEASE); \
    }
        Z1_LLAMA_FUNCTIONS(X)
#undef X

        const std::string llama_version = api.llama_version();
        const std::string ggml_version = api.ggml_version();
        if (llama_version != Z1_LLAMA_VERSION || ggml_version != Z1_GGML_VERSION) {
            throw Error(ErrorCode::ENGINE_MISMATCH, "The engine in " + to_utf8(directory) + " is llama.cpp " +
                                                        llama_version + " with ggml " + ggml_version +
                                                        "; this build needs llama.cpp " Z1_LLAMA_VERSION
                                                        " with ggml " Z1_GGML_VERSION);
        }
        const fs::path ggml = Library::file_of(reinterpret_cast<const void *>(api.ggml_version));
        if (!ggml.empty() && !same_file(ggml.parent_path(), directory)) {
            throw Error(ErrorCode::ENGINE_CONFLICT, "Another ggml is loaded in this process, from " + to_utf8(ggml) +
                                                        "; the engine in " + to_utf8(directory) +
                                                        " cannot be opened beside it");
        }
    } catch (const Error &) {
        library.close();
        throw;
    }

    api.llama_log_set(EngineCall::log_sink, nullptr);
    api.ggml_set_abort_callback(EngineCall::on_assert);
    load_backends(cpu);
    api.llama_backend_init();
}

fs::path Engine::best_cpu() {
    fs::path best;
    int best_score = 0;
    for (const fs::path & file : libraries_in(directory)) {
        if (!is_cpu_backend(file)) {
            continue;
        }
        try {
            const int score = score_of(file);
            if (score > best_score) {
                best_score = score;
                best = file;
            }
        } catch (const std::runtime_error & reason) {
            refused.push_back({ to_utf8(file.filename()), reason.what() });
        }
    }
    if (best.empty()) {
        throw_no_cpu();
    }
    return best;
}

void Engine::throw_no_cpu() const {
    throw Error(ErrorCode::ENGINE_NOT_FOUND,
                "No CPU backend for this processor in " + to_utf8(directory) +
                    (refused.empty() ? "" : " (" + refused.back().file + ": " + refused.back().reason + ")"));
}

// As ggml_backend_load_all_from_path does, but with a reason for every library that is refused: in a release build that
// function drops them.
void Engine::load_backends(const fs::path & cpu) {
    // Somebody else in this process (node-llama-cpp from the same pack) may have loaded them into the same registry.
    if (api.ggml_backend_reg_count() > 0) {
        return;
    }

    const auto load = [this](const fs::path & file) {
        EngineCall call;
        if (!api.ggml_backend_load(to_utf8(file).c_str())) {
            refused.push_back({ to_utf8(file.filename()), call.reason() });
            return false;
        }
        return true;
    };
    for (const fs::path & file : libraries_in(directory)) {
        const std::string stem = library_stem(file);
        if (stem.starts_with("ggml-") && stem != "ggml-base" && !is_cpu_backend(file)) {
            load(file);
        }
    }
    if (!load(cpu)) {
        throw_no_cpu();
    }
}

std::vector<Device> Engine::devices() const {
    std::vector<Device> devices;
    for (size_t i = 0; i < api.ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t device = api.ggml_backend_dev_get(i);
        ggml_backend_dev_props props;
        api.ggml_backend_dev_get_props(device, &props);
        devices.push_back({ props.name, props.description,
                            api.ggml_backend_reg_name(api.ggml_backend_dev_backend_reg(device)), props.type,
                            props.memory_free, props.memory_total });
    }
    return devices;
}

} // namespace z1
