package io.agentmemory.consolidation.it.dao;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;

/**
 * The driver's {@code socketFactory} that counts round trips: how often something was read after
 * something had been written, by all sockets together.
 */
public final class CountingSockets extends SocketFactory {
  private static final AtomicInteger ROUND_TRIPS = new AtomicInteger();

  static int roundTrips() {
    return ROUND_TRIPS.get();
  }

  @Override
  public Socket createSocket() {
    return new CountingSocket();
  }

  @Override
  public Socket createSocket(String host, int port) {
    throw new UnsupportedOperationException("the driver connects by itself");
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException("the driver connects by itself");
  }

  @Override
  public Socket createSocket(InetAddress host, int port) {
    throw new UnsupportedOperationException("the driver connects by itself");
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException("the driver connects by itself");
  }

  private static final class CountingSocket extends Socket {
    private volatile boolean written;

    @Override
    public OutputStream getOutputStream() throws IOException {
      return new FilterOutputStream(super.getOutputStream()) {
        @Override
        public void write(int value) throws IOException {
          written = true;
          out.write(value);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
          written = true;
          out.write(bytes, from, length);
        }
      };
    }

    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          count();
          return super.read();
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
          count();
          return super.read(bytes, from, length);
        }
      };
    }

    private void count() {
      if (written) {
        written = false;
        ROUND_TRIPS.incrementAndGet();
      }
    }
  }
}
