// The engine: llama.cpp's compiled libraries, opened from a directory. One per process, open until it ends.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace z1 {

/// One ggml device; memory in bytes, as the device reports it now.
struct Device {
    std::string name;
    std::string description;
    std::string backend;
    enum ggml_backend_dev_type type;
    size_t memory_free;
    size_t memory_total;
};

/// A backend library that was not taken, with the reason ggml or the system's loader gave.
struct RefusedBackend {
    std::string file;
    std::string reason;
};

class Engine {
public:
    /// Opens the libraries of a directory, or returns the engine when it is this directory's already. Throws
    /// ENGINE_NOT_FOUND (no libllama there, or one that cannot be opened, or no CPU backend), ENGINE_MISMATCH (another
    /// release than the headers this was compiled with) or ENGINE_CONFLICT (another engine is open: the system tells
    /// libraries apart by soname, so a second one would silently run on the first one's ggml).
    ///
    /// `backend` (`cuda`, `vulkan`, …; may be empty) must be loadable too. It is tried before anything else, and what
    /// cannot be loaded leaves nothing behind: another directory can still be opened.
    static const Engine & open(const std::filesystem::path & directory, const std::string & backend);

    /// The engine that is open, or null.
    static const Engine * opened();

    /// An engine of these functions, without libraries: what tests run on.
    explicit Engine(const Api & api) : api(api) {}

    Api api;
    std::filesystem::path directory;
    std::vector<RefusedBackend> refused;

    std::vector<Device> devices() const;

private:
    explicit Engine(const std::filesystem::path & directory);

    /// Of the CPU backend's libraries the one that suits this processor best; leaves none of them open.
    std::filesystem::path best_cpu();
    [[noreturn]] void throw_no_cpu() const;
    void load_backends(const std::filesystem::path & cpu);
};

} // namespace z1
