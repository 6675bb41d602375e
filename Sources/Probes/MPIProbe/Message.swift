/// Memory of one message, filled from a number so that the receiver can check it.
struct Message: ~Copyable {
    let floats: UnsafeMutableBufferPointer<Float>

    init(_ count: Int) {
        floats = .allocate(capacity: count)
        floats.initialize(repeating: -1)
    }

    deinit { floats.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(floats) }
    var memory: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(floats) }

    func fill(_ number: Int) {
        for index in floats.indices { floats[index] = Message.value(number, index) }
    }

    func check(_ number: Int, _ what: @autoclosure () -> String) throws {
        for index in floats.indices where floats[index] != Message.value(number, index) {
            let found = floats[index]
            throw ProbeFailure(
                description: "\(what()): element \(index) is \(found), expected \(Message.value(number, index))")
        }
    }

    private static func value(_ number: Int, _ index: Int) -> Float { Float((number &* 7919 &+ index) % 65_521) }
}
