"""Methods of forecasting behind one interface: fitted on training people, a file each."""
