# Stands in for Node's headers, so that node-gyp downloads none: the shim compiles nothing by itself.
{}
