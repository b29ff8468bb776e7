# A shim, so that node-gyp and prebuildify drive the CMake build. CMakeLists.txt is the build description.
{
  "targets": [{
    "target_name": "z1_native",
    "type": "none",
    "actions": [{
      "action_name": "cmake",
      "inputs": [],
      # Never written, so that the action always runs: CMake knows what is out of date.
      "outputs": ["<(INTERMEDIATE_DIR)/always"],
      "action": ["node", "scripts/build.mjs", "addon", "<(target_arch)"],
    }],
  }],
}
