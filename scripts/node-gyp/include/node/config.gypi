# Read by node-gyp in place of the settings Node was built with.
{ "target_defaults": {}, "variables": {} }
