import Files
import Foundation
import Synchronization
import Testing

@Suite struct LossyStreamTests {
    @Test func `a reader who doesn't read loses lines, and is told how many when he reads again`() throws {
        let (reader, writer) = try makePipe()
        defer { close(reader) }
        defer { close(writer) }
        var stream = LossyStream(writer, patience: 10)
        let line = String(repeating: "x", count: 999) + "\n"
        var reasons: [String] = []
        for _ in 0..<200 { if let reason = stream.write(line) { reasons.append(reason) } }
        #expect(reasons == ["its reader doesn't read"])
        let first = drain(reader)
        #expect(first.hasPrefix(line) && first.utf8.count < 200 * 1000)
        #expect(stream.write("again\n") == nil)
        let second = drain(reader)
        #expect(second.contains("line(s) are missing here") && second.hasSuffix("again\n"))
        #expect(stream.write("and on\n") == nil)
        #expect(drain(reader) == "and on\n")
    }

    @Test func `a descriptor that is closed, or open for reading only, is told once`() throws {
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        var stream = LossyStream(file, patience: 10)
        #expect(stream.write("a\n") == "it is closed")
        #expect(stream.write("b\n") == nil)
        var closed = LossyStream(99_999, patience: 10)
        #expect(closed.write("a\n") == "it is closed")
    }

    @Test func `a full device loses lines and no more`() throws {
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        var stream = LossyStream(full, patience: 10)
        #expect(stream.write("a\n") == String(cString: strerror(ENOSPC)))
        for _ in 0..<100 { #expect(stream.write("b\n") == nil) }
    }

    @Test func `a descriptor that doesn't block gets all of a long text`() throws {
        let (reader, writer) = try makePipe()
        _ = fcntl(writer, F_SETFL, O_NONBLOCK)
        let text = String(repeating: "0123456789", count: 50_000)
        // A thread of its own: Swift's few may all be waiting for tests that wait.
        let sum = Atomic<Int>(0)
        let isDone = DispatchSemaphore(value: 0)
        Thread {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(reader, &bytes, bytes.count)
                guard count > 0 else { break }
                sum.add(count, ordering: .relaxed)
            }
            isDone.signal()
        }.start()
        var stream = LossyStream(writer, patience: 60_000)
        #expect(stream.write(text) == nil)
        close(writer)
        isDone.wait()
        #expect(sum.load(ordering: .relaxed) == text.utf8.count)
        close(reader)
    }

    private func makePipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    /// What is in a pipe now.
    private func drain(_ descriptor: Int32) -> String {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += bytes[..<count]
        }
    }
}
