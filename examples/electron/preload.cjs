// The only code that sees both sides: it hands the page's question on, and the port back. A context bridge cannot carry ports.
const { ipcRenderer } = require('electron')

window.addEventListener('message', ({ source, data }) => {
  if (source === window && data === 'z1-native:connect') ipcRenderer.send('z1-native:connect')
})
ipcRenderer.on('z1-native:port', ({ ports }) => window.postMessage('z1-native:port', '*', ports))
