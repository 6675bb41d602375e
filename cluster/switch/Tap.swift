import Glibc

/// An Ethernet interface whose other end is this program: what the kernel sends comes out of `read`, what is written it
/// receives.
struct Tap {
    let descriptor: Int32

    /// Each packet is preceded by the kernel's `virtio_net_hdr`, because packets keep their segmentation offload (up to
    /// 64 KiB each).
    static let headerBytes = 10
    static let largestPacket = headerBytes + 14 + 65536

    /// Makes the interface in this process' network namespace; it may be moved to another one and goes when this
    /// process ends.
    init(name: String) throws(SwitchError) {
        descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open /dev/net/tun") }
        guard name.utf8.count < Int(IFNAMSIZ) else { throw .wrong("the interface name '\(name)' is too long") }
        // struct ifreq: the name, then the flags.
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        let flags: UInt16 = Request.tap | Request.noPacketInformation | Request.virtioHeader
        withUnsafeBytes(of: flags) { request.replaceSubrange(16..<18, with: $0) }
        guard ioctl(descriptor, Request.setInterface, &request) == 0 else { throw .system("make interface \(name)") }
        guard ioctl(descriptor, Request.setOffload, Request.checksums | Request.segments4 | Request.segments6) == 0
        else { throw .system("set the offloads of \(name)") }
    }

    /// From <linux/if_tun.h>, whose macros Swift does not import.
    private enum Request {
        static let setInterface: UInt = 0x4004_54ca
        static let setOffload: UInt = 0x4004_54d0
        static let tap: UInt16 = 0x0002
        static let noPacketInformation: UInt16 = 0x1000
        static let virtioHeader: UInt16 = 0x4000
        static let checksums: CInt = 0x01
        static let segments4: CInt = 0x02
        static let segments6: CInt = 0x04
    }
}

enum SwitchError: Error, CustomStringConvertible {
    case wrong(String)
    case failed(String)

    static func system(_ what: String) -> SwitchError { .failed("cannot \(what): \(String(cString: strerror(errno)))") }

    var description: String {
        switch self {
        case .wrong(let text), .failed(let text): text
        }
    }
}
