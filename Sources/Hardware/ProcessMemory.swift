import Glibc

/// Memory of this process, as the kernel counts it.
package enum ProcessMemory {
    /// Bytes resident at the most so far (VmHWM), 0 where the system doesn't tell. Unlike getrusage's figure it leaves out the program
    /// that started this one.
    package static var peakBytes: Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let text = line {
            guard strncmp(text, "VmHWM:", 6) == 0 else { continue }
            return strtol(text + 6, nil, 10) * 1024
        }
        return 0
    }
}
