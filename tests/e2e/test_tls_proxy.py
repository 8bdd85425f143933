# SPDX-License-Identifier: MIT
"""The TLS port with a certificate of its own, and connections behind a proxy that says who they are."""

import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import unittest

from blocks import USER
from support import PoolTest, wait_until
from v1_miner import Closed, Miner

V2_SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'


class TlsMiner(Miner):
    def __init__(self, address, authority):
        super().__init__(address)
        self.sock = ssl.create_default_context(cafile=authority).wrap_socket(self.sock, server_hostname='127.0.0.1')


@unittest.skipUnless(shutil.which('openssl'), 'needs the openssl program to make a certificate')
class Tls(PoolTest):
    def certificate(self):
        """Writes tls.key and tls.pem, new each time."""
        path = os.path.join(self.folder, 'tls')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout',
                        path + '.key', '-out', path + '.pem'], check=True, capture_output=True)
        return path + '.pem'

    def tls_pool(self):
        self.node = self.make_node(bits='1d00ffff')
        v1 = 'tls_listen = ["127.0.0.1:0"]\ntls_certificate = "tls.pem"\ntls_key = "tls.key"'
        pool = self.make_pool(self.node, v1=v1, workers=2)
        pool.tls_address = pool.wait_log(r'V1 on (\S+) \(TLS\)').group(1)
        return pool

    def test_mines_over_tls_beside_plain_text(self):
        authority = self.certificate()
        pool = self.tls_pool()
        with TlsMiner(pool.tls_address, authority) as safe, Miner(pool.address) as plain:
            self.assertIn(safe.sock.version(), ('TLSv1.2', 'TLSv1.3'))
            for miner in (safe, plain):
                miner.hello(USER)
                requests = [miner.send('mining.submit', miner.find(USER, block=False)) for _ in range(200)]
                self.assertEqual([miner.wait_reply(request)['result'] for request in requests], [True] * 200)
            jobs = safe.jobs
            self.node.generate()
            safe.wait_job(5, after=jobs)
        self.assertEqual(len(pool.lines('shares')), 400)
        self.assertEqual(pool.terminate(), 0)

    def test_plain_text_and_garbage_on_the_tls_port(self):
        authority = self.certificate()
        pool = self.tls_pool()
        with TlsMiner(pool.tls_address, authority) as healthy:
            healthy.hello(USER)
            for data in (b'{"id":1,"method":"mining.subscribe","params":[]}\n', bytes(600), b'\x16\x03\x01\x40\x00' + bytes(400)):
                with Miner(pool.tls_address) as miner:
                    miner.send_raw(data)
                    with self.assertRaises((Closed, ValueError)):
                        miner.read_line(12)
            self.assertIs(healthy.submit(healthy.find(USER, block=False))['result'], True)

    def test_a_reload_brings_the_new_certificate(self):
        old = shutil.copy(self.certificate(), os.path.join(self.folder, 'old.pem'))
        pool = self.tls_pool()
        with TlsMiner(pool.tls_address, old) as stays:
            stays.hello(USER)
            new = shutil.copy(self.certificate(), os.path.join(self.folder, 'new.pem'))
            mark = pool.log_mark()
            os.kill(pool.process.pid, signal.SIGHUP)
            pool.wait_log('config: reloaded', mark)

            def renewed():
                try:
                    with TlsMiner(pool.tls_address, new) as miner:
                        return miner.hello(USER)['result']
                except ssl.SSLError:
                    return False
            wait_until(renewed, 5, 'the new certificate is shown')
            self.assertIs(stays.submit(stays.find(USER, block=False))['result'], True)
            with open(os.path.join(self.folder, 'tls.pem'), 'w') as broken:
                broken.write('nonsense')
            os.kill(pool.process.pid, signal.SIGHUP)
            pool.wait_log('config: not reloaded: stratum.v1.tls_certificate: ', mark)
            self.assertTrue(renewed())

    def test_a_missing_certificate_ends_the_start(self):
        pool = self.make_pool(self.make_node(), start=False,
                              v1='tls_listen = ["127.0.0.1:0"]\ntls_certificate = "no.pem"\ntls_key = "no.key"')
        done = pool.command('run', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('no.pem', done.stdout + done.stderr)


class Proxy(PoolTest):
    def setUp(self):
        super().setUp()
        self.pool = self.make_pool(self.make_node(bits='1d00ffff'), v1='proxy_from = ["127.0.0.1/32"]')

    def test_headers_of_both_versions(self):
        v2 = V2_SIGNATURE + b'\x21\x11' + struct.pack('>H4s4sHH', 12, socket.inet_aton('4.5.6.7'), bytes(4), 77, 88)
        for header, source in ((b'PROXY TCP4 1.2.3.4 127.0.0.1 55 66\r\n', '1.2.3.4'), (v2, '4.5.6.7'),
                               (b'PROXY TCP6 2001:db8::1 ::1 55 66\r\n', '2001:db8::1'),
                               (b'PROXY UNKNOWN\r\n', '127.0.0.1'), (V2_SIGNATURE + b'\x20\x00\0\0', '127.0.0.1')):
            with self.subTest(header=header):
                mark = self.pool.log_mark()
                with Miner(self.pool.address) as miner:
                    for at in range(len(header)):  # a header may come in any number of pieces
                        miner.send_raw(header[at:at + 1])
                    miner.hello(USER)
                    self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
                self.pool.wait_log('debug +worker: .*' + source.replace('.', r'\.'), mark)

    def test_wrong_headers_close(self):
        subscribe = b'{"id":1,"method":"mining.subscribe","params":[]}\n'
        good = b'PROXY TCP4 1.2.3.4 127.0.0.1 55 66\r\n'
        for data in (subscribe, good + good, b'PROXY ' + 102 * b'x' + b'\r\n', V2_SIGNATURE + b'\x21\x11\xff\xff' + bytes(900),
                     b'PROXY TCP4 1.2.3.4.5 127.0.0.1 55 66\r\n', V2_SIGNATURE + b'\x31\x11\0\x0c' + bytes(12)):
            with self.subTest(data=data[:60]), Miner(self.pool.address) as miner:
                miner.send_raw(data)
                with self.assertRaises(Closed):
                    while True:
                        self.assertIn('error', miner.read_line(12))


if __name__ == '__main__':
    unittest.main(verbosity=2)
