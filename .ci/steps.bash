# What run and long share: steps that are counted, what they install, and the last line, however they end.
# Whoever reads this in sets `limit`, the time that a step may take, and `complete=yes` behind the last step.

passed=0
failed=0
failures=()
complete=no
running=

# Ctrl-C does not reach another process group.
end_running() {
  if [ -n "$running" ]; then kill "$running" 2> /dev/null || true; fi
}

finish() {
  trap - EXIT
  # Ended before the last step: by a signal, or by a mistake in this file.
  if [ "$complete" = no ]; then failed=$((failed + 1)); fi
  # Once more at the end, where whoever has only that part of the log finds them.
  if [ "${#failures[@]}" -gt 0 ]; then printf 'FAILED: %s\n' "${failures[@]}"; fi
  echo "$passed passed, $failed failed"
  if [ "$failed" -gt 0 ]; then exit 1; fi
  exit 0
}
trap finish EXIT
trap 'end_running; exit 130' INT
trap 'end_running; exit 143' TERM

limited() {
  # In a process group of its own, all of which ends with it: what was left behind would disturb the next steps.
  timeout --kill-after=30s "$limit" "$@" < /dev/null &
  running=$!
  wait "$running"
}

step() {
  local name="$*"
  name=${name#limited }
  printf '\n== %s\n' "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$name")
    echo "FAILED: $name"
  fi
}

install_packages() {
  local root=()
  if [ "$(id -u)" -ne 0 ]; then root=(sudo); fi
  "${root[@]}" apt-get update &&
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}
